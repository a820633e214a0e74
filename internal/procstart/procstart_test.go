package procstart_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zeroutils/internal/procstart"
	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// probe runs a script in which $PROBE is testdata/probe, with all signals at
// their defaults, and returns what the probe reports.
func probe(t *testing.T, b testbin.Build, script string, emulator ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := testbin.Program(t, "./testdata/probe", b)
	cmd := exec.CommandContext(ctx, "env", "--default-signal", "sh", "-c", "(exec 3>&1; "+script+") 2>&1")
	cmd.Dir, cmd.WaitDelay = t.TempDir(), time.Minute
	if err := os.Symlink(program, filepath.Join(cmd.Dir, "probe")); err != nil { // whose path may have blanks
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "PROBE="+strings.Join(append(emulator, "./probe"), " "))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func TestTheEntryPointRecordsWhatTheParentSetUp(t *testing.T) {
	const (
		none   = "recorded true\nignored []\nblocked []\n"
		closed = ": /, bad file descriptor, bad file descriptor\n"
	)
	for name, c := range map[string]struct{ script, want string }{
		"nothing unusual":                         {`exec $PROBE </dev/null`, none},
		"closed standard input":                   {`exec $PROBE <&-`, none + "closed 0" + closed},
		"closed output and error":                 {`exec $PROBE </dev/null >&- 2>&-`, none + "closed 1" + closed + "closed 2" + closed},
		"all closed":                              {`exec $PROBE <&- >&- 2>&-`, none + "closed 0" + closed + "closed 1" + closed + "closed 2" + closed},
		"/dev/null opened for both is not closed": {`exec $PROBE 0<>/dev/null 1<>/dev/null`, none},
		"ignored signals": {
			`trap '' HUP PIPE USR1 TERM XFSZ SYS; exec $PROBE </dev/null`,
			"recorded true\nignored [1 10 13 15 25 31]\nblocked []\n",
		},
		"trapped signals are not ignored": {`trap : HUP PIPE; $PROBE </dev/null`, none},
		"blocked signals": {
			`env --block-signal=1,2,13,15,31 $PROBE </dev/null`,
			"recorded true\nignored []\nblocked [1 2 13 15 31]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := probe(t, testbin.Build{}, c.script); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
		t.Run(name+", arm64", func(t *testing.T) {
			testfs.Need(t, "qemu-aarch64")
			if got := probe(t, testbin.Build{Arch: "arm64"}, c.script, "qemu-aarch64"); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// What cannot be known is taken for the usual.
func TestWithoutTheEntryPointOnlyWhatTheRuntimeLeavesIsKnown(t *testing.T) {
	const none = "recorded false\nignored []\nblocked []\n"
	for script, want := range map[string]string{
		`exec $PROBE <&- >&-`:                           none,
		`exec $PROBE 0<>/dev/null`:                      none,
		`trap '' PIPE; exec $PROBE`:                     none,
		`env --block-signal=1,2,10,13,15,64 $PROBE`:     "recorded false\nignored []\nblocked [10 13 64]\n",
		`env --block-signal=1,2,10,13,15,64 $PROBE <&-`: "recorded false\nignored []\nblocked [10 13 64]\n",
	} {
		if got := probe(t, testbin.Build{NoEntry: true}, script); got != want {
			t.Errorf("%s: got\n%swant\n%s", script, got, want)
		}
	}
}

// An emulator has real-time signals of its own.
func TestRealTimeSignalsAreRecorded(t *testing.T) {
	if got, want := probe(t, testbin.Build{}, `trap '' 63 64; env --block-signal=34,64 $PROBE`), "recorded true\nignored [63 64]\nblocked [34 64]\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// MIPS has 128 signals with numbers of its own, and in 32 bits a long is half
// as wide.
func TestAMaskIsReadOnMIPS(t *testing.T) {
	testfs.Need(t, "qemu-mips")
	got := probe(t, testbin.Build{Arch: "mips", NoEntry: true}, `env --block-signal=10,13 $PROBE`, "qemu-mips") // 10 is SIGUSR1 here, 16 there
	if want := "recorded false\nignored []\nblocked [13 16]\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestWithoutDevNullAClosedDescriptorIsStillClosed(t *testing.T) {
	testfs.NeedRoot(t)
	program := testbin.Program(t, "./testdata/probe", testbin.Build{})
	root := t.TempDir()
	copied, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(root+"/probe", copied, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "env", "--default-signal", "sh", "-c", `exec 3>&1; exec chroot "$0" /probe <&- 2>&-`, root).CombinedOutput()
	want := "recorded true\nignored []\nblocked []\n" +
		"closed 0: , bad file descriptor, bad file descriptor\nclosed 2: , bad file descriptor, bad file descriptor\n"
	if err != nil || string(out) != want {
		t.Errorf("%v, got\n%swant\n%s", err, out, want)
	}
}

func TestThisTestIsNotLinkedWithTheEntryPoint(t *testing.T) {
	if procstart.Recorded() || procstart.Ignored(syscall.SIGPIPE) || procstart.Closed(0) {
		t.Error("a record without an entry point")
	}
}
