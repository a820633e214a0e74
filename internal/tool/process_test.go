package tool

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// buildCat compiles testdata/cat as the tools are built, and returns its
// directory.
func buildCat(t *testing.T) string {
	t.Helper()
	return filepath.Dir(testbin.Program(t, "./testdata/cat", testbin.Build{}))
}

// shell runs a script in an empty directory, with a directory of programs before
// all others, and returns everything that it writes.
func shell(t *testing.T, programs, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec 2>&1; "+script+"; echo status $?")
	cmd.Dir, cmd.WaitDelay = t.TempDir(), time.Minute
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PATH="+programs+":"+os.Getenv("PATH"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return string(out)
}

// gone makes descriptor 9 a pipe whose reader has gone.
const gone = `mkfifo p; : <p & exec 9>p; wait $!; `

func TestAProcessEndsAsGNUCatWould(t *testing.T) {
	ours, gnus := buildCat(t), t.TempDir()
	for name, script := range map[string]string{
		"data":                                     `echo x | cat`,
		"several files":                            `echo a >a; echo x | cat a - a`,
		"no such file":                             `cat nothing`,
		"the other files are still read":           `echo a >a; cat nothing a 'no thing' a`,
		"an empty name":                            `cat ''`,
		"a directory":                              `cat /`,
		"a directory as input":                     `cat </`,
		"an unknown option":                        `cat --bar`,
		"help for a full device":                   `cat --help >/dev/full`,
		"help for a closed output":                 `cat --help >&-`,
		"help for a closed pipe":                   gone + `cat --help >&9; echo $?`,
		"a full device":                            `echo x | cat >/dev/full`,
		"closed input":                             `cat <&-`,
		"closed input as an operand":               `echo a >a; cat a - a <&-`,
		"closed input that is not used":            `echo a >a; cat a <&-`,
		"closed output":                            `echo x | cat >&-`,
		"closed output, nothing to say":            `cat </dev/null >&-`,
		"closed input and output":                  `cat <&- >&-`,
		"closed error":                             `echo a >a; cat a nothing a 2>&-`,
		"closed error, nothing to say":             `echo a >a; cat a 2>&-`,
		"full error":                               `cat nothing 2>/dev/full`,
		"everything closed":                        `cat <&- >&- 2>&-`,
		"/dev/null is not closed":                  `cat 0<>/dev/null 1<>/dev/null`,
		"output without a reader":                  gone + `echo x | cat >&9; echo $?`,
		"output without a reader, SIGPIPE ignored": gone + `trap '' PIPE; echo x 2>&- | cat >&9; echo $?`,
		"error without a reader":                   gone + `cat nothing 2>&9; echo $?`,
		"SIGXFSZ":                                  `ulimit -f 1; head -c 100000 /dev/zero | cat >big; echo $?; wc -c <big`,
		"SIGXFSZ ignored":                          `trap '' XFSZ; ulimit -f 1; head -c 100000 /dev/zero | cat >big; echo $?; wc -c <big`,
		"SIGINT and SIGQUIT are ignored in the background": `mkfifo f; cat f & exec 9>f; kill -INT $!; kill -QUIT $!; echo x >&9; exec 9>&-; wait $! 2>&-`,
		"SIGTERM":         `mkfifo f; cat f & exec 9>f; kill $!; wait $! 2>&-`,
		"SIGTERM ignored": `mkfifo f; (trap '' TERM; exec cat f) & exec 9>f; kill $!; echo x >&9; exec 9>&-; wait $! 2>&-`,
		"SIGUSR1":         `mkfifo f; cat f & exec 9>f; kill -USR1 $!; wait $! 2>&-`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := shell(t, gnus, script)
			if got := shell(t, ours, script); got != want {
				t.Errorf("%s\ngot\n%swant\n%s", script, got, want)
			}
		})
	}
}

// Without the entry point of package procstart a tool does not know what was
// closed, but it fails nothing that cat does.
func TestToolsOfGoInstallWork(t *testing.T) {
	testbin.Program(t, "./testdata/cat", testbin.Build{}) // looks at the sources
	dir := t.TempDir()
	cmd := exec.Command("go", "install", "../../cmd/...")
	cmd.Env = append(os.Environ(), "GOBIN="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for script, want := range map[string]string{
		`zcat 0<>/dev/null 1<>/dev/null`:                         "status 0\n",
		`ztee f 0<>/dev/null 1<>/dev/null && cat f`:              "status 0\n",
		`zpipe 0<>/dev/null 1<>/dev/null`:                        "status 0\n",
		`echo a >f; zcp f g 0<>/dev/null 1<>/dev/null && zcat g`: "a\nstatus 0\n",
		`echo a | ztee f | zpipe - - | zcat - f`:                 "a\na\nstatus 0\n",
		`zcat <&-`:                                               "status 0\n",
		`echo a >f; zcat f >&-`:                                  "status 0\n",
		gone + `echo x | zcat >&9`:                               "status 141\n",
	} {
		if got := shell(t, dir, script); got != want {
			t.Errorf("%s\ngot\n%swant\n%s", script, got, want)
		}
	}
}

func TestAPathInArgvIsNotPartOfTheName(t *testing.T) {
	dir := buildCat(t)
	if got, want := shell(t, dir, "'"+dir+"'/cat nothing"), "cat: nothing: No such file or directory\nstatus 1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnErrorOfClosingTheOutputIsAWriteError(t *testing.T) {
	if real(t, "strace", "true").status != 0 {
		testfs.Unavailable(t, "strace cannot trace here") // ptrace(2) is not for everybody
	}
	const script = `echo x | strace -f -o /dev/null -P $PWD/out -e trace=close -e inject=close:error=EDQUOT cat >out`
	want := shell(t, t.TempDir(), script)
	if got := shell(t, buildCat(t), script); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
