package gnuflag_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
)

// run gives a line to an App as our programs set it up and lets the action
// look at what arrived.
func run(t fataler, flags []cli.Flag, line gnuflag.Line, action func(*cli.Context)) {
	t.Helper()
	app := newApp(flags, io.Discard)
	app.Action = func(ctx *cli.Context) error {
		action(ctx)
		return nil
	}
	if err := app.Run(line.Argv("cp")); err != nil {
		t.Fatalf("cli refuses %q: %v", line.Argv("cp"), err)
	}
}

func newApp(flags []cli.Flag, stdout io.Writer) *cli.App {
	return &cli.App{
		Flags:                     flags,
		Writer:                    stdout,
		HideHelp:                  true,
		HideHelpCommand:           true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
	}
}

// sameInCli checks that cli finds in the rewritten line what the line says.
func sameInCli(t fataler, line gnuflag.Line) {
	t.Helper()
	ran := false
	run(t, flags(), line, func(ctx *cli.Context) {
		ran = true
		for _, f := range ctx.App.Flags {
			checkFlag(t, ctx, f, line)
		}
		if got := ctx.Args().Slice(); !slices.Equal(got, line.Operands) {
			t.Fatalf("operands are %q in cli, want %q", got, line.Operands)
		}
	})
	if !ran {
		t.Fatalf("cli did not run the action for %q", line.Argv("cp"))
	}
}

// checkFlag checks one flag under each of its names.
func checkFlag(t fataler, ctx *cli.Context, f cli.Flag, line gnuflag.Line) {
	t.Helper()
	last, given := line.Last(f.Names()[0])
	for _, name := range f.Names() {
		if got := ctx.IsSet(name); got != given {
			t.Fatalf("IsSet(%q) is %v in cli, want %v", name, got, given)
		}
		switch f.(type) {
		case *cli.BoolFlag:
			if got := ctx.Bool(name); got != given {
				t.Fatalf("%s is %v in cli, want %v", name, got, given)
			}
		case *cli.StringSliceFlag:
			if got, want := ctx.StringSlice(name), values(line, name); !slices.Equal(got, want) {
				t.Fatalf("%s is %q in cli, want %q", name, got, want)
			}
		default:
			if got := ctx.String(name); got != last.Value {
				t.Fatalf("%s is %q in cli, want %q", name, got, last.Value)
			}
		}
	}
}

// values are all the values that an option was given.
func values(line gnuflag.Line, name string) []string {
	var vs []string
	for _, o := range line.Options {
		if o.Name == name {
			vs = append(vs, o.Value)
		}
	}
	return vs
}

func TestARewrittenLineNamesEachFlagOnce(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "cp --"},
		{"a b", "cp -- a b"},
		{"-r -R --recursive a", "cp --recursive -- a"},
		{"-t1 --tar=2 -t 3", "cp --target-directory=3 --"},
		{"-b --backup=simple", "cp --backup=simple --"},
		{"--backup=simple -b", "cp --backup=existing --"},
		{"--exclude=1 -x --exclude 2", "cp --exclude=1 -x --exclude=2 --"},
		{"-f", "cp --force --"},
		{"-n5 -n -x", "cp -n -x --"},
		{"-t -r", "cp --target-directory=-r --"},
		{"-- -x --", "cp -- -x --"},
	} {
		line := parse(t, strings.Fields(c.args))
		if got := strings.Join(line.Argv("cp"), " "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.args, got, c.want)
		}
	}
}

func TestCliTakesARewrittenLineAtItsWord(t *testing.T) {
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
		{"values that look like flags", []string{"-t", "-x", "-n", "--", "--exclude", "-r"}},
		{"empty values", []string{"-t", "", "-n", "", "--exclude=", "--exclude=", "--backup="}},
		{"values with =", []string{"-t=", "-n=", "--exclude==a=b"}},
		{"values with commas", []string{"--exclude=a,b", "--exclude", ",", "--time=,"}},
		{"values with space around them", []string{"--exclude= a\n", "-t ", "-n\t"}},
		{"values that are not UTF-8", []string{"--exclude=\xff", "-t\xff", "-n\xff", "--backup=\xff", "\xff"}},
		{"an optional value left out", []string{"-b", "--reflink"}},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			sameInCli(t, parse(t, c.args))
		})
	}
}

func TestEverySliceFlagKeepsAllItsValues(t *testing.T) {
	flags := []cli.Flag{
		&cli.IntSliceFlag{Name: "int", Aliases: []string{"i"}},
		&cli.StringSliceFlag{Name: "string", Aliases: []string{"s"}, KeepSpace: true},
	}
	line, err := gnuflag.Parse(flags, []string{"-i3", "-sb,c", "--int=1", "-i", "2", "-s", " a"}, false)
	if err != nil {
		t.Fatal(err)
	}
	run(t, flags, line, func(ctx *cli.Context) {
		if got, want := ctx.IntSlice("int"), []int{3, 1, 2}; !slices.Equal(got, want) {
			t.Errorf("int is %v, want %v", got, want)
		}
		if got, want := ctx.StringSlice("s"), []string{"b,c", " a"}; !slices.Equal(got, want) {
			t.Errorf("string is %q, want %q", got, want)
		}
	})
}

// A flag that is no more than a cli.Flag has to be told its value.
type plainFlag struct{ cli.Flag }

func TestAFlagThatSaysNothingOfValuesTakesOne(t *testing.T) {
	line, err := gnuflag.Parse([]cli.Flag{plainFlag{&cli.StringFlag{Name: "o"}}}, []string{"-oa", "-o", "b"}, false)
	if want := "-o=a -o=b |"; err != nil || show(line) != want {
		t.Errorf("got %q, %v; want %q", show(line), err, want)
	}
}

func TestHelpShowsThatAValueMayBeLeftOut(t *testing.T) {
	for _, c := range []struct {
		flag cli.StringFlag
		want string
	}{
		{cli.StringFlag{Name: "stats", Usage: "tell the truth"}, "--stats[=value]\ttell the truth"},
		{
			cli.StringFlag{Name: "b", Aliases: []string{"backup"}, Usage: "see `CONTROL`, below", EnvVars: []string{"VC"}},
			"-b, --backup[=CONTROL]\tsee CONTROL, below [$VC]",
		},
	} {
		if got := (&gnuflag.OptionalString{StringFlag: c.flag}).String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestAnOptionalStringIsAllThatCliWantsOfAFlag(t *testing.T) {
	var f cli.Flag = &gnuflag.OptionalString{StringFlag: cli.StringFlag{
		Name:     "stats",
		Category: "ours",
		Required: true,
		Action:   func(_ *cli.Context, value string) error { return errors.New("acted on " + value) },
	}, Absent: "text"}

	if _, ok := f.(cli.DocGenerationFlag); !ok {
		t.Error("it is no DocGenerationFlag")
	}
	if _, ok := f.(cli.CategorizableFlag); !ok {
		t.Error("it is no CategorizableFlag")
	}
	if r, ok := f.(cli.RequiredFlag); !ok || !r.IsRequired() {
		t.Error("it is not required")
	}

	line, err := gnuflag.Parse([]cli.Flag{f}, []string{"--st"}, false)
	if err != nil {
		t.Fatal(err)
	}
	app := newApp([]cli.Flag{f}, io.Discard)
	app.Action = func(*cli.Context) error { return nil }
	if err := app.Run(line.Argv("cat")); err == nil || err.Error() != "acted on text" {
		t.Errorf("cli says %v, want the flag's action to run", err)
	}
}

// The package comment warns of the habits of cli that follow. When one of these
// tests fails, cli has improved and the comment can be shorter.

func TestCliSpoilsOddBytesInSliceFlagsWithAliases(t *testing.T) {
	flags := []cli.Flag{&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"X"}}}
	line, err := gnuflag.Parse(flags, []string{"-X\xff"}, false)
	if err != nil {
		t.Fatal(err)
	}
	run(t, flags, line, func(ctx *cli.Context) {
		if got := ctx.StringSlice("exclude"); !slices.Equal(got, []string{"\ufffd"}) {
			t.Errorf("cli now gives %q", got)
		}
	})
}

func TestCliAnswersHelpByItself(t *testing.T) {
	flags := []cli.Flag{&cli.BoolFlag{Name: "help"}}
	line, err := gnuflag.Parse(flags, []string{"--help"}, false)
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	app := newApp(flags, &stdout)
	app.Action = func(*cli.Context) error {
		t.Error("cli now leaves --help to the action")
		return nil
	}
	if err := app.Run(line.Argv("cp")); err != nil || stdout.Len() == 0 {
		t.Errorf("got %v and %d bytes of help", err, stdout.Len())
	}
}

type sets []string

func (s *sets) Set(value string) error { *s = append(*s, value); return nil }
func (s *sets) String() string         { return strings.Join(*s, "+") }

func TestCliSetsAFlagOnceMoreForEachAlias(t *testing.T) {
	var got sets
	flags := []cli.Flag{&cli.GenericFlag{Name: "output", Aliases: []string{"o"}, Value: &got}}
	line, err := gnuflag.Parse(flags, []string{"-oa", "-ob"}, false)
	if err != nil {
		t.Fatal(err)
	}
	run(t, flags, line, func(*cli.Context) {
		if want := (sets{"b", "b"}); !slices.Equal(got, want) {
			t.Errorf("cli now sets %q", got)
		}
	})
}
