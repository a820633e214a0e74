package gnuflag_test

import (
	"testing"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
)

// sameInCli checks that cli's accessors return what the line says.
func sameInCli(t fataler, line gnuflag.Line) {
	t.Helper()
	flags := flags()
	ctx, err := line.Context(flags)
	if err != nil {
		t.Fatalf("%+v: %v", line.Options, err)
	}
	for _, f := range flags {
		name := f.Names()[0]
		last, given := line.Last(name)
		if got := ctx.IsSet(name); got != given {
			t.Fatalf("IsSet(%q) is %v in cli, want %v", name, got, given)
		}
		if _, ok := f.(*cli.BoolFlag); ok {
			if got := ctx.Bool(name); got != given {
				t.Fatalf("%s is %v in cli, want %v", name, got, given)
			}
		} else if got := ctx.String(name); got != last.Value {
			t.Fatalf("%s is %q in cli, want %q", name, got, last.Value)
		}
	}
}

func TestCliHasTheLastValueOfEachOption(t *testing.T) {
	for _, c := range []struct {
		behaviour string
		args      []string
	}{
		{"an empty line", nil},
		{"flags in two spellings", []string{"-r", "--recursive", "-R", "-t1", "--target-directory=2"}},
		{"operands that are commands elsewhere", []string{"help", "h", "-r"}},
		{"operands that are names of flags", []string{"recursive", "r"}},
		{"operands that look like flags", []string{"--", "-r", "--", "--help", "--generate-bash-completion"}},
		{"empty operands", []string{"", ""}},
		{"values that look like flags", []string{"-t", "-x", "-n", "--", "--time", "-r"}},
		{"empty values", []string{"-t", "", "-n", "", "--time=", "--backup="}},
		{"values with =", []string{"-t=", "-n=", "--time==a=b"}},
		{"values with commas", []string{"--time=a,b", "--time", ","}},
		{"values with space around them", []string{"--time= a\n", "-t ", "-n\t"}},
		{"values that are not UTF-8", []string{"--time=\xff", "-t\xff", "-n\xff", "--backup=\xff", "\xff"}},
		{"an optional value left out", []string{"-b", "--reflink"}},
		{"an optional value left out the second time", []string{"--backup=simple", "-b"}},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			sameInCli(t, parse(t, c.args))
		})
	}
}

func TestOtherKindsOfFlagsAreRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an IntFlag was taken")
		}
	}()
	_, _ = gnuflag.Parse([]cli.Flag{&cli.IntFlag{Name: "o"}}, nil, false)
}
