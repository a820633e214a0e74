package tool

import (
	"os"

	"zeroutils/internal/gnuflag"
)

// execute reads the command line and runs the command.
func (inv *Invocation) execute(cmd Command, args []string) error {
	cmd.Flags = withCommon(cmd.Flags)
	cmd.Choices = withCommonChoices(cmd.Choices)

	_, posixlyCorrect := os.LookupEnv("POSIXLY_CORRECT")
	line, mistake := gnuflag.ParseUntil(cmd.Flags, args, func(operands []string) bool {
		if cmd.Ends == nil {
			return posixlyCorrect
		}
		return cmd.Ends(operands, posixlyCorrect)
	})
	inv.Line, inv.Operands = line, line.Operands
	if done, err := inv.inOrder(cmd); done || err != nil {
		return err
	}
	if mistake != nil {
		return mistake
	}
	var err error
	if inv.Flags, err = line.Context(cmd.Flags); err != nil {
		return err
	}
	inv.stats = inv.Flags.String("stats")
	if err := inv.chooseMethod(); err != nil {
		return err
	}
	return cmd.Run(inv)
}

// inOrder does what GNU programs do while they read their options: the first
// --help, --version or unknown word decides, and a mistake that gnuflag found
// comes after all options in the line.
func (inv *Invocation) inOrder(cmd Command) (done bool, err error) {
	for i := range inv.Line.Options {
		o := &inv.Line.Options[i]
		switch o.Name {
		case "help":
			inv.Printf("%s", help(inv.Name, cmd))
			return true, nil
		case "version":
			inv.Printf("%s (zeroutils) %s\n", cmd.Name, Version())
			return true, nil
		}
		if valid, ok := cmd.Choices[o.Name]; ok {
			if o.Value, err = Choice("--"+o.Name, o.Value, valid); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}
