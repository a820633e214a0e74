package tool

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/splice"
)

// prog is a command with options of every kind.
func prog(run func(*Invocation) error) Command {
	return Command{
		Name:     "zprog",
		Synopsis: []string{"[OPTION]... SOURCE DEST", "[OPTION]... SOURCE... DIRECTORY"},
		Summary:  "Do what the options say.",
		Notes:    "That is all there is to know.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "number", Aliases: []string{"n"}, Usage: "number all lines"},
			&cli.BoolFlag{Name: "e", Usage: "equivalent to -vE"},
			&cli.StringFlag{Name: "i", Usage: "wait `SECONDS` between updates"},
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"R", "r"}, Usage: "copy directories recursively"},
			&gnuflag.OptionalString{
				StringFlag: cli.StringFlag{Name: "when", Aliases: []string{"w"}, Usage: "whether to do it at all; `WHEN` is always, never, or what is decided by looking at the phase of the moon"},
				Absent:     "always",
			},
			&cli.StringFlag{Name: "target-directory-and-nothing-else", Aliases: []string{"t"}, Usage: "copy all into `DIRECTORY`"},
			&cli.StringFlag{Name: "add", Usage: "one more"},
			&cli.BoolFlag{Name: "secret", Hidden: true, Usage: "nobody knows"},
		},
		Choices: map[string][]string{"when": {"always", "never", "by-the-moon"}},
		Run:     run,
	}
}

// idle does nothing.
func idle(*Invocation) error { return nil }

// unwanted fails a test by being run.
func unwanted(t *testing.T) func(*Invocation) error {
	return func(*Invocation) error {
		t.Error("the command ran")
		return nil
	}
}

func TestRunGetsOptionsAndOperands(t *testing.T) {
	ran := false
	got := call(t, prog(func(inv *Invocation) error {
		ran = true
		if inv.Name != "prog" {
			t.Errorf("name %q", inv.Name)
		}
		if !inv.Flags.Bool("number") || inv.Flags.Bool("recursive") || inv.Flags.String("target-directory-and-nothing-else") != "dir" {
			t.Errorf("values %v", inv.Line.Options)
		}
		if o, ok := inv.Line.Last("number", "when"); !ok || o.Name != "number" {
			t.Errorf("last option %v", o)
		}
		if want := []string{"help", "-x", "h"}; !slices.Equal(inv.Operands, want) {
			t.Errorf("operands %q, want %q", inv.Operands, want)
		}
		if got, want := given(inv, "add"), []string{"a,b", " c"}; !slices.Equal(got, want) {
			t.Errorf("values %q, want %q", got, want)
		}
		return nil
	}), "help", "--when", "--add=a,b", "-nt", "dir", "--add= c", "--", "-x", "h")
	if !ran || got != (result{}) {
		t.Errorf("ran %t: %+v", ran, got)
	}
}

// given lists the values of an option that was given several times.
func given(inv *Invocation, name string) (values []string) {
	for _, o := range inv.Line.Options {
		if o.Name == name {
			values = append(values, o.Value)
		}
	}
	return values
}

func TestTheFirstOperandEndsTheOptionsIfPOSIXLYCORRECT(t *testing.T) {
	t.Setenv("POSIXLY_CORRECT", "")
	call(t, prog(func(inv *Invocation) error {
		if want := []string{"x", "-n"}; !slices.Equal(inv.Operands, want) {
			t.Errorf("operands %q, want %q", inv.Operands, want)
		}
		return nil
	}), "x", "-n")
}

func TestChosenWordsAreCompleted(t *testing.T) {
	call(t, prog(func(inv *Invocation) error {
		if got := inv.Flags.String("when"); got != "by-the-moon" {
			t.Errorf("value %q", got)
		}
		return nil
	}), "--when=b")
}

func TestWithoutANameInArgvTheCommandHasItsOwn(t *testing.T) {
	for _, args := range [][]string{nil, {""}} {
		if inv := newInvocation(prog(idle), args, stdio{}); inv.Name != "zprog" {
			t.Errorf("%q: name %q", args, inv.Name)
		}
	}
}

const try = "Try 'prog --help' for more information.\n"

func TestUsageErrorsPointToHelp(t *testing.T) {
	inLocale(t, "C")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown option", []string{"--bar"}, "prog: unrecognized option '--bar'\n"},
		{"missing value", []string{"-t"}, "prog: option requires an argument -- 't'\n"},
		{"unknown word", []string{"--when=soon"}, "prog: invalid argument 'soon' for '--when'\nValid arguments are:\n  - 'always'\n  - 'never'\n  - 'by-the-moon'\n"},
		{"unknown statistics", []string{"--stats=xml"}, "prog: invalid argument 'xml' for '--stats'\nValid arguments are:\n  - 'text'\n  - 'json'\n"},
		{"ambiguous method", []string{"--method=re"}, "prog: ambiguous argument 're' for '--method'\n" + methodList},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, prog(unwanted(t)), c.args...)
			if want := (result{1, "", c.want + try}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

const methodList = `Valid arguments are:
  - 'auto'
  - 'reflink'
  - 'copy_file_range'
  - 'sendfile'
  - 'splice'
  - 'mmap'
  - 'direct'
  - 'readwrite'
`

func TestOperandMistakesHaveGNUsWords(t *testing.T) {
	for _, c := range []struct {
		err  error
		args []string // of cp
	}{
		{MissingFileOperand(), nil},
		{MissingDestination("it's"), []string{"it's"}},
		{ExtraOperand("a b"), []string{"-T", "x", "y", "a b"}},
	} {
		got := call(t, prog(func(*Invocation) error { return c.err }))
		want := strings.ReplaceAll(real(t, "cp", c.args...).stderr, "cp", "prog")
		if got.status != 1 || got.stderr != want {
			t.Errorf("status %d, %swant %s", got.status, got.stderr, want)
		}
	}
}

func TestWhatRunReturnsIsSaid(t *testing.T) {
	for _, c := range []struct {
		err  error
		want result
	}{
		{nil, result{}},
		{UsageErrorf("bad %s: %v", "rate", unix.ERANGE), result{1, "", "prog: bad rate: Numerical result out of range\n" + try}},
		{errors.New("no such rate"), result{1, "", "prog: no such rate\n"}},
		{unix.ENOMEM, result{1, "", "prog: Cannot allocate memory\n"}},
		{cli.Exit("gone", 7), result{1, "", "prog: gone\n"}},
	} {
		if got := call(t, prog(func(*Invocation) error { return c.err })); got != c.want {
			t.Errorf("%v: got %+v, want %+v", c.err, got, c.want)
		}
	}
}

func TestMessagesAndTheStatus(t *testing.T) {
	inLocale(t, "C")
	for _, c := range []struct {
		name string
		run  func(*Invocation)
		want result
	}{
		{"a warning is no failure", func(inv *Invocation) { inv.Warnf("%d left", 3) }, result{0, "", "prog: 3 left\n"}},
		{"an error is", func(inv *Invocation) { inv.Errorf("%v", unix.EIO) }, result{1, "", "prog: Input/output error\n"}},
		{"a file is quoted", func(inv *Invocation) { inv.Fail("a b", unix.ENOENT) }, result{1, "", "prog: 'a b': No such file or directory\n"}},
		{"a per cent sign in a name is just that", func(inv *Invocation) { inv.Fail("100%d", unix.ENOENT) }, result{1, "", "prog: 100%d: No such file or directory\n"}},
		{"a tool's own status stays", func(inv *Invocation) { inv.SetStatus(4); inv.Errorf("x") }, result{4, "", "prog: x\n"}},
		{"text goes to standard output", func(inv *Invocation) { inv.Printf("%s -> %s\n", "a", "b") }, result{0, "a -> b\n", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := call(t, prog(func(inv *Invocation) error { c.run(inv); return nil })); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestMessagesFromGoroutinesStayWhole(t *testing.T) {
	got := call(t, prog(func(inv *Invocation) error {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				inv.Printf("%s\n", strings.Repeat("o", 200))
				inv.Errorf("%s", strings.Repeat("e", 200))
			})
		}
		wg.Wait()
		return nil
	}))
	want := result{
		1,
		strings.Repeat(strings.Repeat("o", 200)+"\n", 50),
		strings.Repeat("prog: "+strings.Repeat("e", 200)+"\n", 50),
	}
	if got != want {
		t.Errorf("status %d, %d and %d bytes", got.status, len(got.stdout), len(got.stderr))
	}
}

func TestTheMethodComesFromTheOptionElseTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		variable string
		args     []string
		want     splice.Method
	}{
		{"", nil, splice.Auto},
		{"", []string{"--method=splice"}, splice.Splice},
		{"", []string{"--method=read"}, splice.ReadWrite},
		{"sendfile", nil, splice.Sendfile},
		{"sendfile", []string{"--method=mmap"}, splice.Mmap},
		{"sendfile", []string{"--method=mmap", "--method", "auto"}, splice.Auto},
		{"nonsense", []string{"--method=mmap"}, splice.Mmap},
	} {
		t.Setenv("ZEROUTILS_METHOD", c.variable)
		got := call(t, prog(func(inv *Invocation) error {
			if inv.Method != c.want {
				t.Errorf("%s %q: %v, want %v", c.variable, c.args, inv.Method, c.want)
			}
			return nil
		}), c.args...)
		if got != (result{}) {
			t.Errorf("%s %q: %+v", c.variable, c.args, got)
		}
	}
}

func TestAnUnknownMethodInTheEnvironmentNamesTheVariable(t *testing.T) {
	inLocale(t, "C")
	t.Setenv("ZEROUTILS_METHOD", "magic")
	got := call(t, prog(unwanted(t)))
	want := result{1, "", "prog: invalid argument 'magic' for '$ZEROUTILS_METHOD'\n" + methodList + try}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
