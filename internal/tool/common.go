package tool

import (
	"maps"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/splice"
)

// withCommon appends the options that all tools have.
func withCommon(flags []cli.Flag) []cli.Flag {
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

func withCommonChoices(own map[string][]string) map[string][]string {
	choices := map[string][]string{
		"method": splice.MethodNames(),
		"stats":  {"text", "json"},
	}
	maps.Copy(choices, own)
	return choices
}

// methodVariable is the environment variable that stands for --method.
const methodVariable = "ZEROUTILS_METHOD"

// chooseMethod takes the method of --method, else that of the environment.
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
