package atexec_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zeroutils/internal/atexec"
	"zeroutils/internal/testfs"
)

const entryPoint = "-ldflags=-E zeroutils_start"

// The probes are built once, by the test that needs one first.
var (
	withRecord    = sync.OnceValues(func() (string, error) { return build("exact", runtime.GOARCH, entryPoint) })
	withoutRecord = sync.OnceValues(func() (string, error) { return build("guessing", runtime.GOARCH) })
	forARM64      = sync.OnceValues(func() (string, error) { return build("arm64", "arm64", entryPoint) })
)

var probes string

func TestMain(m *testing.M) {
	var err error
	if probes, err = os.MkdirTemp("", "atexec"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(probes)
	os.Exit(status)
}

// build compiles testdata/probe, without C: a C linker has its own entry point.
func build(name, arch string, flags ...string) (string, error) {
	if err := touchSources(); err != nil {
		return "", err
	}
	out := filepath.Join(probes, name)
	cmd := exec.Command("go", append(append([]string{"build", "-o", out}, flags...), "./testdata/probe")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, output)
	}
	return out, nil
}

// touchSources opens what the build will read. The go command notes what a test
// opens, and does not take an old result for a new source.
func touchSources() error {
	for _, pattern := range []string{"*.go", "*.s", "testdata/probe/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			if _, err := os.ReadFile(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// shell runs a script in which $PROBE is the program. It returns what came out
// of descriptors 1, 2 and 3, and the exit status.
func shell(t *testing.T, probe func() (string, error), script string, runner ...string) (output string, status int) {
	t.Helper()
	program, err := probe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "ulimit -c 0; (exec 3>&1; "+script+") 2>&1")
	cmd.Dir, cmd.WaitDelay = t.TempDir(), time.Minute
	cmd.Env = append(os.Environ(), "PROBE="+strings.Join(append(runner, program), " "))
	out, err := cmd.Output()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestEntryPointRecordsWhatTheParentSetUp(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"nothing unusual": {
			`exec $PROBE show </dev/null`,
			"recorded true\nclosed false false false\nignored []\n",
		},
		"closed standard input": {
			`exec $PROBE show <&-`,
			"recorded true\nclosed true false false\nignored []\n",
		},
		"closed output and error": {
			`exec $PROBE show </dev/null >&- 2>&-`,
			"recorded true\nclosed false true true\nignored []\n",
		},
		"/dev/null opened for both is not closed": {
			`exec $PROBE show 0<>/dev/null 1<>/dev/null`,
			"recorded true\nclosed false false false\nignored []\n",
		},
		"ignored signals": {
			`trap '' HUP PIPE USR1 TERM XFSZ SYS; exec $PROBE show </dev/null`,
			"recorded true\nclosed false false false\nignored [1 10 13 15 25 31]\n",
		},
		"trapped signals are not ignored": {
			`trap : HUP PIPE; $PROBE show </dev/null`,
			"recorded true\nclosed false false false\nignored []\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, status := shell(t, withRecord, c.script); got != c.want || status != 0 {
				t.Errorf("status %d, %q\nwant      %q", status, got, c.want)
			}
		})
		t.Run(name+", arm64", func(t *testing.T) {
			testfs.Need(t, "qemu-aarch64")
			if got, status := shell(t, forARM64, c.script, "qemu-aarch64"); got != c.want || status != 0 {
				t.Errorf("status %d, %q\nwant      %q", status, got, c.want)
			}
		})
	}
}

func TestWithoutEntryPointClosedIsGuessedAndIgnoredUnknown(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"closed": {
			`exec $PROBE show <&- >&-`,
			"recorded false\nclosed true true false\nignored []\n",
		},
		"/dev/null as a shell opens it": {
			`exec $PROBE show </dev/null >/dev/null`,
			"recorded false\nclosed false false false\nignored []\n",
		},
		"another device opened for both": {
			`exec $PROBE show 0<>/dev/zero`,
			"recorded false\nclosed false false false\nignored []\n",
		},
		"the guess is wrong for /dev/null opened for both": {
			`exec $PROBE show 0<>/dev/null`,
			"recorded false\nclosed true false false\nignored []\n",
		},
		"ignored signals are forgotten": {
			`trap '' PIPE; exec $PROBE show </dev/null`,
			"recorded false\nclosed false false false\nignored []\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, status := shell(t, withoutRecord, c.script); got != c.want || status != 0 {
				t.Errorf("status %d, %q\nwant      %q", status, got, c.want)
			}
		})
	}
}

// deadly are the signals that end a C program which does nothing about them.
var deadly = []syscall.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGUSR1, syscall.SIGUSR2,
	syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM, syscall.SIGSTKFLT, syscall.SIGXCPU, syscall.SIGXFSZ,
	syscall.SIGVTALRM, syscall.SIGIO, syscall.SIGPWR,
}

func TestSignalsKillWithoutAWord(t *testing.T) {
	for _, sig := range deadly {
		t.Run(sig.String(), func(t *testing.T) {
			for name, probe := range map[string]func() (string, error){"recorded": withRecord, "not recorded": withoutRecord} {
				program, err := probe()
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(program, "kill", fmt.Sprint(int(sig)))
				cmd.Dir = t.TempDir() // for a core file
				out, _ := cmd.CombinedOutput()
				if got := cmd.ProcessState.Sys().(syscall.WaitStatus); !got.Signaled() || got.Signal() != sig || len(out) > 0 {
					t.Errorf("%s: %v, output %q", name, cmd.ProcessState, out)
				}
			}
		})
	}
}

func TestSignalsIgnoredByTheParentStayIgnored(t *testing.T) {
	for _, sig := range deadly {
		t.Run(sig.String(), func(t *testing.T) {
			script := fmt.Sprintf(`trap '' %[1]d; exec $PROBE kill %[1]d`, int(sig))
			if got, status := shell(t, withRecord, script); got != "survived\n" || status != 0 {
				t.Errorf("status %d, %q", status, got)
			}
		})
	}
}

func TestTheProgramIsToldOfSignalsThatTheParentDoesNotIgnore(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGHUP} {
		script := fmt.Sprintf("exec $PROBE notify %d", int(sig))
		want := fmt.Sprintf("told of %v\n", sig)
		if got, status := shell(t, withRecord, script); got != want || status != 0 {
			t.Errorf("%s: status %d, %q, want %q", script, status, got, want)
		}
		script = fmt.Sprintf("trap '' %d; ", int(sig)) + script
		if got, status := shell(t, withRecord, script); got != "not told\n" || status != 0 {
			t.Errorf("%s: status %d, %q", script, status, got)
		}
	}
}

func TestASignalThatTheProgramWillBeToldOfDoesNothingUntilThen(t *testing.T) {
	for trap, want := range map[string]string{"": "told of user defined signal 1\n", "trap '' USR1; ": "not told\n"} {
		if got, status := shell(t, withRecord, trap+"exec $PROBE later 10"); got != want || status != 0 {
			t.Errorf("%s: status %d, %q, want %q", trap, status, got, want)
		}
	}
}

func TestDeathByASignalIsWhatTheParentSees(t *testing.T) {
	for _, sig := range deadly {
		script := fmt.Sprintf("{ $PROBE die %d; } 2>/dev/null; echo $?", int(sig))
		want := fmt.Sprintf("%d\n", 128+int(sig))
		if got, _ := shell(t, withRecord, script); got != want {
			t.Errorf("%v: got %q, want %q", sig, got, want)
		}
	}
}

// gone makes descriptor 9 a pipe whose reader has gone.
const gone = `mkfifo p; : <p & exec 9>p; wait $!; `

func TestABrokenPipeKillsUnlessTheParentIgnoresIt(t *testing.T) {
	got, _ := shell(t, withRecord, gone+`$PROBE write >&9; echo $?`)
	if got != "141\n" {
		t.Errorf("got %q", got)
	}
	got, _ = shell(t, withRecord, gone+`trap '' PIPE; $PROBE write >&9; echo $?`)
	if got != "broken pipe\n0\n" {
		t.Errorf("ignored: got %q", got)
	}
}

func TestWhatIsToBeDoneBeforeDyingIsDoneInReverse(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		script := fmt.Sprintf("{ $PROBE prepared %d; } 2>/dev/null; echo $?", int(sig))
		want := fmt.Sprintf("first\nsecond\n%d\n", 128+int(sig))
		if got, _ := shell(t, withRecord, script); got != want {
			t.Errorf("%v: got %q, want %q", sig, got, want)
		}
	}
}

func TestWhatDoesNotReturnDoesNotKeepAProcessFromDying(t *testing.T) {
	script := "{ timeout -s KILL 50 $PROBE prepared 15 stuck; } 2>/dev/null; echo $?"
	if got, _ := shell(t, withRecord, script); got != "first\nsecond\n143\n" {
		t.Errorf("got %q", got)
	}
}

func TestABrokenPipeCanBeSurvived(t *testing.T) {
	got, _ := shell(t, withRecord, gone+`$PROBE survive >&9; echo $?`)
	if got != "broken pipe\n0\n" {
		t.Errorf("got %q", got)
	}
}

func TestProgramsThatAreExecutedIgnoreWhatTheParentIgnored(t *testing.T) {
	for script, want := range map[string]string{
		`$PROBE child`:               "SigIgn:\t0000000000000000\n",
		`trap '' PIPE; $PROBE child`: "SigIgn:\t0000000000001000\n",
		`trap '' HUP INT QUIT USR1 USR2 TERM; $PROBE child`: "SigIgn:\t0000000000004a07\n",
	} {
		if got, _ := shell(t, withRecord, script); got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
}

func TestThisTestIsNotLinkedWithTheEntryPoint(t *testing.T) {
	if atexec.Recorded() || atexec.Ignored(syscall.SIGPIPE) {
		t.Error("a record without an entry point")
	}
}
