package tool

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/splice"
)

// execute reads the command line and runs the command.
func (inv *Invocation) execute(cmd Command, args []string) error {
	cmd.Flags = withCommon(cmd.Flags, cmd.Misuse != nil)
	cmd.Choices = withCommonChoices(cmd.Choices, cmd.Misuse != nil)

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
// --help, --version or invalid choice ends the program. A mistake that gnuflag
// found stands after all options of the line.
func (inv *Invocation) inOrder(cmd Command) (done bool, err error) {
	for i := range inv.Line.Options {
		o := &inv.Line.Options[i]
		switch o.Name {
		case "help":
			inv.Printf("%s", help(inv.Name, cmd))
			return true, nil
		case "version":
			inv.Printf("%s (zeroutils) %s\n%s\n", cmd.Name, Version(), license)
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

// license is the second line of --version.
const license = "License MIT: this is free software, without any warranty."

// withCommon appends the options that all tools have, but not to those of a
// program that a tool stands in for.
func withCommon(flags []cli.Flag, foreign bool) []cli.Flag {
	if foreign {
		return flags
	}
	own := namesOf(flags)
	flags = slices.Clone(flags)
	for _, f := range []cli.Flag{
		&cli.StringFlag{Name: "method", Category: gnuflag.Own, Usage: "move the data by `NAME` and no other way: reflink, copy_file_range, sendfile, splice, mmap, direct or readwrite; auto, the default, takes what suits"},
		&gnuflag.OptionalString{
			StringFlag: cli.StringFlag{Name: "stats", Category: gnuflag.Own, Usage: "say on standard error at the end how the data was moved; `FORMAT` is text, the default, or json"},
			Absent:     "text",
		},
		&cli.BoolFlag{Name: "help", Usage: "display this help and exit"},
		&cli.BoolFlag{Name: "version", Usage: "output version information and exit"},
	} {
		if !slices.Contains(own, f.Names()[0]) {
			flags = append(flags, f)
		}
	}
	return flags
}

func namesOf(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

func withCommonChoices(own map[string][]string, foreign bool) map[string][]string {
	if foreign {
		return own
	}
	choices := map[string][]string{
		"method": splice.MethodNames(),
		"stats":  {"text", "json"},
	}
	maps.Copy(choices, own)
	return choices
}

// methodVariable is the environment variable that applies without --method.
const methodVariable = "ZEROUTILS_METHOD"

// chooseMethod sets the method from --method, or else from the environment.
func (inv *Invocation) chooseMethod() (err error) {
	name := inv.Flags.String("method")
	if name == "" {
		name = os.Getenv(methodVariable)
		if name == "" {
			return nil
		}
		if name, err = Choice("$"+methodVariable, name, splice.MethodNames()); err != nil {
			return err
		}
	}
	inv.Method, _ = splice.ParseMethod(name)
	return nil
}

// Choice returns the valid word that value is or abbreviates. Synonyms stand in
// one string, "none|off", of which the first is returned.
//
// The error is a usage error in the words of GNU's XARGMATCH, with a list of the
// valid words. Its context names the option, "--method", or the environment
// variable, "$ZEROUTILS_METHOD".
func Choice(context, value string, valid []string) (string, error) {
	found := ""
	for _, synonyms := range valid {
		words := strings.Split(synonyms, "|")
		for _, word := range words {
			switch {
			case word == value:
				return words[0], nil
			case !strings.HasPrefix(word, value) || found == words[0]:
			case found == "":
				found = words[0]
			default:
				return "", choiceError("ambiguous", context, value, valid)
			}
		}
	}
	if found == "" {
		return "", choiceError("invalid", context, value, valid)
	}
	return found, nil
}

func choiceError(what, context, value string, valid []string) error {
	var list strings.Builder
	for _, synonyms := range valid {
		separator := "\n  - "
		for word := range strings.SplitSeq(synonyms, "|") {
			list.WriteString(separator + QuoteLocale(word))
			separator = ", "
		}
	}
	return UsageErrorf("%s argument %s for %s\nValid arguments are:%s",
		what, QuoteLocale(value), QuoteLocale(context), &list)
}
