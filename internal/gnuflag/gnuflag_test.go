package gnuflag_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
	"pgregory.net/rapid"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/property"
)

// flags are like cp's, and some more so that every kind is there. They are made
// anew for each use because cli keeps state in them.
func flags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "archive", Aliases: []string{"a"}},
		&gnuflag.OptionalString{
			StringFlag: cli.StringFlag{Name: "backup", Aliases: []string{"b"}},
			Absent:     "existing",
		},
		&cli.BoolFlag{Name: "f", Aliases: []string{"force"}},
		&cli.BoolFlag{Name: "interactive", Aliases: []string{"i"}},
		&cli.BoolFlag{Name: "recursive", Aliases: []string{"R", "r", "recurse"}},
		&gnuflag.OptionalString{StringFlag: cli.StringFlag{Name: "reflink"}, Absent: "always"},
		&cli.BoolFlag{Name: "remove-destination"},
		&cli.StringFlag{Name: "target-directory", Aliases: []string{"t"}},
		&cli.StringFlag{Name: "time"},
		&cli.BoolFlag{Name: "times"},
		&cli.StringFlag{Name: "n"},
		&cli.BoolFlag{Name: "x"},
	}
}

// show writes a line down in one string: each option as it is spelled in full,
// with =VALUE if it was given one, or (VALUE) if it stands for one.
func show(l gnuflag.Line) string {
	var words []string
	for _, o := range l.Options {
		switch {
		case o.HasValue:
			words = append(words, o.Spelled+"="+o.Value)
		case o.Value != "":
			words = append(words, o.Spelled+"("+o.Value+")")
		default:
			words = append(words, o.Spelled)
		}
	}
	return strings.Join(append(append(words, "|"), l.Operands...), " ")
}

func TestALineIsReadAsGetoptReadsIt(t *testing.T) {
	for _, c := range []struct {
		behaviour string
		args      []string
		want      string
	}{
		{"nothing is nothing", nil, "|"},
		{"operands and options mix", []string{"a", "-r", "b", "--force", "c"}, "-r --force | a b c"},
		{"a double dash ends the options", []string{"-r", "--", "-f", "--", "a"}, "-r | -f -- a"},
		{"a double dash ends them after operands too", []string{"a", "--", "-f"}, "| a -f"},
		{"a dash is an operand", []string{"-", "-r"}, "-r | -"},
		{"nothing at all is an operand", []string{"", "-r"}, "-r | "},
		{"letters join", []string{"-arf"}, "-a -r -f |"},
		{"a value is attached", []string{"-tDIR"}, "-t=DIR |"},
		{"a value is the next argument", []string{"-t", "DIR"}, "-t=DIR |"},
		{"a value ends joined letters", []string{"-rtDIR", "-rt", "DIR"}, "-r -t=DIR -r -t=DIR |"},
		{"an attached value may begin with =", []string{"-t=DIR"}, "-t==DIR |"},
		{"a letter's value may look like an option", []string{"-t", "--", "-t", "-r"}, "-t=-- -t=-r |"},
		{"a letter's value may be empty", []string{"-t", "", "-r"}, "-t= -r |"},
		{"a long value is attached", []string{"--target-directory=DIR"}, "--target-directory=DIR |"},
		{"a long value is the next argument", []string{"--target-directory", "-x"}, "--target-directory=-x |"},
		{"a long value may be a double dash", []string{"--target-directory", "--", "-x"}, "--target-directory=-- -x |"},
		{"a long value may be empty", []string{"--target-directory=", "a"}, "--target-directory= | a"},
		{"a long value may hold =", []string{"--target-directory=a=b"}, "--target-directory=a=b |"},
		{"an optional value may be left out", []string{"--backup", "a"}, "--backup(existing) | a"},
		{"an optional value is taken with =", []string{"--backup=simple"}, "--backup=simple |"},
		{"an optional value may be empty", []string{"--backup="}, "--backup= |"},
		{"a letter takes no optional value", []string{"-bf", "a"}, "-b(existing) -f | a"},
		{"a name may be cut short", []string{"--rem", "--tar=DIR", "--back"}, "--remove-destination --target-directory=DIR --backup(existing) |"},
		{"a name in full is no abbreviation", []string{"--time=1", "--times"}, "--time=1 --times |"},
		{"names of one flag do not compete", []string{"--recur"}, "--recursive |"},
		{"options repeat", []string{"-r", "-R", "--recursive", "-t1", "-t2"}, "-r -R --recursive -t=1 -t=2 |"},
		{"values are bytes", []string{"-t\xff\n", "\xfe", "--target=\x80"}, "-t=\xff\n --target-directory=\x80 | \xfe"},
		{"help is an operand", []string{"help", "h", "-r"}, "-r | help h"},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			got, err := gnuflag.Parse(flags(), c.args, false)
			if err != nil || show(got) != c.want {
				t.Errorf("%q\n got %q, %v\nwant %q", c.args, show(got), err, c.want)
			}
		})
	}
}

func TestPosixlyCorrectStopsAtTheFirstOperand(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-r", "a", "-f", "--bad"}, "-r | a -f --bad"},
		{[]string{"-", "-f"}, "| - -f"},
		{[]string{"a", "--", "b"}, "| a -- b"},
		{[]string{"--", "a", "--", "b"}, "| a -- b"},
		{[]string{"-t", "a", "-f", "b", "-r"}, "-t=a -f | b -r"},
	} {
		got, err := gnuflag.Parse(flags(), c.args, true)
		if err != nil || show(got) != c.want {
			t.Errorf("%q\n got %q, %v\nwant %q", c.args, show(got), err, c.want)
		}
	}
}

func TestAMistakeIsToldInGetoptsWords(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--foo=bar"}, "unrecognized option '--foo=bar'"},
		{[]string{"--foo"}, "unrecognized option '--foo'"},
		{[]string{"---"}, "unrecognized option '---'"},
		{[]string{"--n=1"}, "unrecognized option '--n=1'"},
		{[]string{"--back\xff"}, "unrecognized option '--back\xff'"},
		{[]string{"-z"}, "invalid option -- 'z'"},
		{[]string{"-r-f"}, "invalid option -- '-'"},
		{[]string{"-b=x"}, "invalid option -- '='"},
		{[]string{"-ré"}, "invalid option -- '\xc3'"},
		{[]string{"-\n"}, "invalid option -- '\n'"},
		{[]string{"-%s"}, "invalid option -- '%'"},
		{[]string{"--re"}, "option '--re' is ambiguous; possibilities: '--recursive' '--reflink' '--remove-destination'"},
		{[]string{"--re=%s"}, "option '--re=%s' is ambiguous; possibilities: '--recursive' '--reflink' '--remove-destination'"},
		{[]string{"--t", "a"}, "option '--t' is ambiguous; possibilities: '--target-directory' '--time' '--times'"},
		{[]string{"-rt"}, "option requires an argument -- 't'"},
		{[]string{"--target-directory"}, "option '--target-directory' requires an argument"},
		{[]string{"--tar"}, "option '--target-directory' requires an argument"},
		{[]string{"--recursive="}, "option '--recursive' doesn't allow an argument"},
		{[]string{"--recurs=yes"}, "option '--recursive' doesn't allow an argument"},
	} {
		_, err := gnuflag.Parse(flags(), c.args, false)
		var usage *gnuflag.UsageError
		if !errors.As(err, &usage) || err.Error() != c.want {
			t.Errorf("%q\n got %v\nwant %s", c.args, err, c.want)
		}
	}
}

func TestWhatCameBeforeAMistakeIsKept(t *testing.T) {
	got, err := gnuflag.Parse(flags(), []string{"a", "-rfz", "b", "-x"}, false)
	if want := "-r -f | a"; err == nil || show(got) != want {
		t.Errorf("got %q, %v; want %q and an error", show(got), err, want)
	}
}

func TestAnOptionIsKnownByItsFlagsFirstName(t *testing.T) {
	got, err := gnuflag.Parse(flags(), []string{"-R", "--forc", "-b"}, false)
	want := []gnuflag.Option{
		{Name: "recursive", Spelled: "-R"},
		{Name: "f", Spelled: "--force"},
		{Name: "backup", Spelled: "-b", Value: "existing"},
	}
	if err != nil || !slices.Equal(got.Options, want) {
		t.Errorf("got %+v, %v\nwant %+v", got.Options, err, want)
	}
}

func TestTheLastOfSeveralOptionsWins(t *testing.T) {
	line, err := gnuflag.Parse(flags(), []string{"-i", "--force", "-t1", "-i", "a", "--tar=2", "-x"}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names []string
		want  gnuflag.Option
		found bool
	}{
		{[]string{"f", "interactive"}, gnuflag.Option{Name: "interactive", Spelled: "-i"}, true},
		{[]string{"f"}, gnuflag.Option{Name: "f", Spelled: "--force"}, true},
		{[]string{"target-directory"}, gnuflag.Option{Name: "target-directory", Spelled: "--target-directory", Value: "2", HasValue: true}, true},
		{[]string{"recursive", "archive"}, gnuflag.Option{}, false},
		{nil, gnuflag.Option{}, false},
	} {
		if got, found := line.Last(c.names...); got != c.want || found != c.found {
			t.Errorf("Last(%q) = %+v, %v; want %+v, %v", c.names, got, found, c.want, c.found)
		}
	}
}

// An option with its value, in any of its forms, as arguments that belong
// together.
func optionArgs(t *rapid.T) []string {
	value := anyBytes.Draw(t, "value")
	return rapid.SampledFrom([][]string{
		{"-r"}, {"-fx"}, {"--recurs"}, {"--backup"}, {"-b"},
		{"--backup=" + value}, {"--target=" + value}, {"--time=" + value},
		{"-t", value}, {"-rt", value}, {"--time", value}, {"-n", value},
		{"-xt:" + value}, {"-n:" + value},
	}).Draw(t, "option")
}

var (
	anyBytes = rapid.Map(
		rapid.SliceOfN(rapid.SampledFrom([]byte("-=a,: \n\xc3\xff")), 0, 5),
		func(b []byte) string { return string(b) })
	operand = rapid.Map(anyBytes, func(s string) string {
		if s = strings.TrimLeft(s, "-"); s == "" {
			return "-"
		}
		return s
	})
)

func TestOptionsMeanTheSameAnywhereAmongOperands(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		options := rapid.SliceOfN(rapid.Custom(optionArgs), 0, 6).Draw(t, "options")
		operands := rapid.SliceOfN(operand, 0, 6).Draw(t, "operands")
		want := parse(t, append(slices.Concat(options...), operands...))
		got := parse(t, interleave(t, options, operands))

		if !slices.Equal(got.Options, want.Options) {
			t.Errorf("options are %+v\nwant %+v", got.Options, want.Options)
		}
		if !slices.Equal(got.Operands, operands) {
			t.Errorf("operands are %q\nwant %q", got.Operands, operands)
		}
	})
}

// interleave shuffles operands in between options; among themselves both keep
// their order.
func interleave(t *rapid.T, options [][]string, operands []string) []string {
	var args []string
	for len(options) > 0 || len(operands) > 0 {
		if len(operands) == 0 || len(options) > 0 && rapid.Bool().Draw(t, "option next") {
			args = append(args, options[0]...)
			options = options[1:]
		} else {
			args = append(args, operands[0])
			operands = operands[1:]
		}
	}
	return args
}

// fataler is what *testing.T and *rapid.T have in common here.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// parse reads arguments that are known to be right.
func parse(t fataler, args []string) gnuflag.Line {
	t.Helper()
	line, err := gnuflag.Parse(flags(), args, false)
	if err != nil {
		t.Fatalf("Parse(%q): %v", args, err)
	}
	return line
}

func ExampleParse() {
	flags := []cli.Flag{
		&cli.BoolFlag{Name: "recursive", Aliases: []string{"r"}},
		&gnuflag.OptionalString{StringFlag: cli.StringFlag{Name: "reflink"}, Absent: "always"},
		&cli.StringFlag{Name: "target-directory", Aliases: []string{"t"}},
	}
	line, err := gnuflag.Parse(flags, []string{"a", "b", "-rtDIR", "--ref=auto", "--", "-c"}, false)
	if err != nil {
		panic(err)
	}
	values, err := line.Context(flags)
	if err != nil {
		panic(err)
	}
	fmt.Println(values.Bool("recursive"), values.String("target-directory"), values.String("reflink"), line.Operands)

	_, err = gnuflag.Parse(flags, []string{"--re"}, false)
	fmt.Println(err)
	// Output:
	// true DIR auto [a b -c]
	// option '--re' is ambiguous; possibilities: '--recursive' '--reflink'
}

func TestAnAbbreviationStandsForOptionsOfGNUFirst(t *testing.T) {
	flags := []cli.Flag{
		&cli.BoolFlag{Name: "progress", Category: gnuflag.Own}, &cli.BoolFlag{Name: "preserve"},
		&cli.BoolFlag{Name: "proceed", Category: gnuflag.Own}, &cli.BoolFlag{Name: "path", Category: gnuflag.Own},
	}
	for given, want := range map[string]string{"--pr": "preserve", "--p": "preserve", "--prog": "progress", "--pa": "path", "--path": "path"} {
		line, err := gnuflag.Parse(flags, []string{given}, false)
		if err != nil || len(line.Options) != 1 || line.Options[0].Name != want {
			t.Errorf("%s: %v, %v, want --%s", given, line.Options, err, want)
		}
	}
	if _, err := gnuflag.Parse(flags, []string{"--pro"}, false); err == nil || err.Error() != "option '--pro' is ambiguous; possibilities: '--progress' '--proceed'" {
		t.Errorf("--pro: %v", err)
	}
}
