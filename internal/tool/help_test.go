package tool

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

const progHelp = `Usage: prog [OPTION]... SOURCE DEST
  or:  prog [OPTION]... SOURCE... DIRECTORY
Do what the options say.

  -n, --number          number all lines
  -e                    equivalent to -vE
  -i SECONDS            wait SECONDS between updates
  -R, -r, --recursive   copy directories recursively
  -w, --when[=WHEN]     whether to do it at all; WHEN is always, never, or
                          what is decided by looking at the phase of the moon
  -t, --target-directory-and-nothing-else=DIRECTORY
                        copy all into DIRECTORY
      --add=VALUE       one more
`

func TestHelpIsLaidOutAsGNUsAndCommonOptionsComeLast(t *testing.T) {
	got := call(t, prog(unwanted(t)), "--help")
	if got.status != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, progHelp) {
		t.Fatalf("status %d, stderr %q, stdout\n%s", got.status, got.stderr, got.stdout)
	}
	common := strings.TrimPrefix(got.stdout, progHelp)
	if !strings.HasPrefix(common, "      --method=NAME     move") || !strings.Contains(common, "\n      --stats[=FORMAT]  say") {
		t.Errorf("common options\n%s", common)
	}
	const end = `
      --help            display this help and exit
      --version         output version information and exit

That is all there is to know.

Full documentation: man zprog
Methods, safety and statistics: man 7 zeroutils
`
	if !strings.HasSuffix(common, end) {
		t.Errorf("the end is\n%s", common)
	}
	for line := range strings.Lines(got.stdout) {
		if len(line) > 80 {
			t.Errorf("a line of %d columns: %s", len(line)-1, line)
		}
	}
}

func TestHelpShowsOptionsUnderTheHeadingsOfTheirGroups(t *testing.T) {
	cmd := Command{
		Name: "prog", Manual: "page", Synopsis: []string{"[OPTION]..."}, Summary: "Do it.\n",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "one"},
			&cli.BoolFlag{Name: "none", Usage: "two"},
			&cli.BoolFlag{Name: "method", Usage: "three"},
			&cli.BoolFlag{Name: "stats", Usage: "four"},
		},
		Groups: []Group{
			{"Amount", []string{"none", "all", "missing"}},
			{"Nothing of this", []string{"missing"}},
			{"Report", []string{"stats"}},
		},
		Run: unwanted(t),
	}
	const want = `Usage: prog [OPTION]...
Do it.

Amount:
      --none     two
      --all      one

Report:
      --stats    four

      --method   three
      --help     display this help and exit
      --version  output version information and exit

Full documentation: man page
Methods, safety and statistics: man 7 zeroutils
`
	if got := call(t, cmd, "--help").stdout; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestHelpAndVersionTakeEffectWhereTheyStand(t *testing.T) {
	help := call(t, prog(idle), "--help").stdout
	t.Setenv("ZEROUTILS_METHOD", "nonsense")
	for _, c := range []struct {
		args []string
		want result
	}{
		{[]string{"--help", "--bar"}, result{0, help, ""}},
		{[]string{"x", "--he", "--when=soon", "--version"}, result{0, help, ""}},
		{[]string{"--version", "--help"}, result{0, "zprog (zeroutils) devel\n" + license + "\n", ""}},
		{[]string{"--bar", "--help"}, result{1, "", "prog: unrecognized option '--bar'\n" + try}},
		{[]string{"-t", "--help"}, result{1, "", "prog: invalid argument 'nonsense' for '$ZEROUTILS_METHOD'\n" + methodList + try}},
	} {
		inLocale(t, "C")
		if got := call(t, prog(unwanted(t)), c.args...); got != c.want {
			t.Errorf("%q: got %+v\nwant %+v", c.args, got, c.want)
		}
	}
	if got := call(t, prog(unwanted(t)), "--when=soon", "--help"); got.status != 1 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}

func TestVersionIsWhatTheLinkerSays(t *testing.T) {
	defer func(saved string) { version = saved }(version)
	version = "1.2.3"
	if got, want := call(t, prog(unwanted(t)), "--version"), (result{0, "zprog (zeroutils) 1.2.3\n" + license + "\n", ""}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAToolMayGiveHelpAndVersionMoreNames(t *testing.T) {
	cmd := prog(unwanted(t))
	cmd.Flags = []cli.Flag{
		&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show this help"},
		&cli.BoolFlag{Name: "version", Aliases: []string{"V"}, Usage: "show the version"},
	}
	help := call(t, cmd, "-h").stdout
	if !strings.Contains(help, "  -h, --help        ") || strings.Contains(help, "display this help") {
		t.Errorf("help is\n%s", help)
	}
	if got := call(t, cmd, "-V").stdout; got != "zprog (zeroutils) devel\n"+license+"\n" {
		t.Errorf("version is %q", got)
	}
}
