package tool

import (
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
)

// execute reads the command line and runs the command.
func (inv *Invocation) execute(cmd Command, args []string) error {
	cmd.Flags = withCommon(cmd.Flags)
	cmd.Choices = withCommonChoices(cmd.Choices)

	_, posixlyCorrect := os.LookupEnv("POSIXLY_CORRECT")
	line, mistake := gnuflag.Parse(cmd.Flags, args, posixlyCorrect)
	inv.Line, inv.Operands = line, line.Operands
	if done, err := inv.inOrder(cmd); done || err != nil {
		return err
	}
	if mistake != nil {
		return mistake
	}
	return inv.app(cmd).Run(line.Argv(inv.Name))
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

// app is the cli.App that holds the values of the options. Whatever it would
// print, ask the system for or add on its own account is turned off.
func (inv *Invocation) app(cmd Command) *cli.App {
	return &cli.App{
		Name:                      inv.Name,
		Flags:                     cmd.Flags,
		HideHelp:                  true,
		HideHelpCommand:           true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		Compiled:                  time.Unix(0, 0), // else it looks for the program's file
		Writer:                    io.Discard,
		ErrWriter:                 io.Discard,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return UsageErrorf("%v", err) },
		Action: func(values *cli.Context) error {
			inv.Flags = values
			inv.stats = values.String("stats")
			if err := inv.chooseMethod(); err != nil {
				return err
			}
			return cmd.Run(inv)
		},
	}
}
