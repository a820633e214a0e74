package signals_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// started runs testdata/probe after env(1) has set all signals to their
// defaults and done what the options say.
func started(t *testing.T, b testbin.Build, options string, args ...any) (output string, state *os.ProcessState) {
	t.Helper()
	words := append([]string{"--default-signal"}, strings.Fields(options)...)
	words = append(words, testbin.Program(t, "./testdata/probe", b))
	for _, arg := range args {
		words = append(words, fmt.Sprint(arg))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "env", words...)
	cmd.Dir, cmd.WaitDelay = t.TempDir(), time.Minute // for a core file
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState
}

// prints expects the probe to print something and to succeed.
func prints(t *testing.T, want, options string, args ...any) {
	t.Helper()
	if got, state := started(t, testbin.Build{}, options, args...); got != want || !state.Success() {
		t.Errorf("%s %v: %v, %q, want %q", options, args, state, got, want)
	}
}

// dies expects the probe to print something and to be ended by a signal.
func dies(t *testing.T, sig syscall.Signal, want string, b testbin.Build, options string, args ...any) {
	t.Helper()
	got, state := started(t, b, options, args...)
	if status := state.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != sig || got != want {
		t.Errorf("%+v %s %v: %v, %q, want %v and %q", b, options, args, state, got, sig, want)
	}
}

func ignore(sig syscall.Signal) string { return fmt.Sprintf("--ignore-signal=%d", int(sig)) }
func block(sig syscall.Signal) string  { return fmt.Sprintf("--block-signal=%d", int(sig)) }

// fatal are the signals that end a C program which does nothing about them.
var fatal = []syscall.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM, 16, syscall.SIGXCPU,
	syscall.SIGXFSZ, syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGIO, syscall.SIGPWR, syscall.SIGSYS,
	34, 35, 64, // real-time signals
}

// faults are fatal as well, but the runtime reports them.
var faults = []syscall.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE}

func TestSignalsKillWithoutAWord(t *testing.T) {
	for _, sig := range fatal {
		dies(t, sig, "", testbin.Build{}, "", "kill", int(sig))
		dies(t, sig, "", testbin.Build{NoEntry: true}, "", "kill", int(sig))
	}
}

func TestSignalsIgnoredByTheParentStayIgnored(t *testing.T) {
	for _, sig := range append(fatal, faults...) {
		prints(t, "survived\n", ignore(sig), "kill", int(sig))
	}
}

func TestSignalsBlockedByTheParentDoNothing(t *testing.T) {
	for _, sig := range append(fatal, faults...) {
		if sig != 34 { // the runtime unblocks what the C library may use
			prints(t, "survived\n", block(sig), "kill", int(sig))
		}
	}
	prints(t, "survived\n", "--block-signal=1,2,3,15", "kill", 15)
}

func TestAFaultOfTheProgramsOwnIsReported(t *testing.T) {
	for _, options := range []string{"", ignore(syscall.SIGSEGV), block(syscall.SIGSEGV)} {
		got, state := started(t, testbin.Build{}, options, "fault")
		if state.ExitCode() != 2 || !strings.Contains(got, "nil pointer dereference") || !strings.Contains(got, "goroutine 1") {
			t.Errorf("%s: %v, %q", options, state, got)
		}
	}
}

func TestTheProgramIsToldOfSignalsThatTheParentDoesNotKeepFromIt(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGHUP} {
		prints(t, fmt.Sprintf("told of %v\n", sig), "", "notify", int(sig))
		prints(t, "not told\n", ignore(sig), "notify", int(sig))
		prints(t, "not told\n", block(sig), "notify", int(sig))
	}
}

func TestASignalThatTheProgramWillBeToldOfDoesNothingUntilThen(t *testing.T) {
	const usr1 = syscall.SIGUSR1
	prints(t, "told of user defined signal 1\n", "", "later", int(usr1))
	prints(t, "not told\n", ignore(usr1), "later", int(usr1))
	prints(t, "not told\n", block(usr1), "later", int(usr1))
}

func TestDeathByASignalIsWhatTheParentSees(t *testing.T) {
	for _, sig := range append(fatal, faults...) {
		dies(t, sig, "", testbin.Build{}, ignore(sig), "die", int(sig))
		dies(t, sig, "", testbin.Build{}, block(sig), "die", int(sig))
	}
}

// The kernel lets no signal of its own kill the first process of a namespace.
func TestTheFirstProcessOfANamespaceExitsInstead(t *testing.T) {
	testfs.NeedRoot(t)
	const first = "unshare --pid --fork"
	if _, state := started(t, testbin.Build{}, first, "die", 15); state.ExitCode() != 143 {
		t.Errorf("%v", state)
	}
	prints(t, "false\n", first, "fatal", 13)
}

func TestASignalIsFatalUnlessTheParentKeepsItOff(t *testing.T) {
	const pipe = syscall.SIGPIPE
	prints(t, "true\n", "", "fatal", int(pipe))
	prints(t, "false\n", ignore(pipe), "fatal", int(pipe))
	prints(t, "false\n", block(pipe), "fatal", int(pipe))
}

func TestABrokenPipeKillsUnlessTheParentKeepsItOff(t *testing.T) {
	dies(t, syscall.SIGPIPE, "", testbin.Build{}, "", "write")
	prints(t, "broken pipe\n", ignore(syscall.SIGPIPE), "write")
	prints(t, "broken pipe\n", block(syscall.SIGPIPE), "write")
}

func TestABrokenPipeCanBeCaught(t *testing.T) {
	prints(t, "broken pipe\n", "", "survive")
}

func TestCleanupsRunInReverse(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dies(t, sig, "first\nsecond\n", testbin.Build{}, "", "cleanup", int(sig))
	}
}

func TestACleanupThatDoesNotReturnIsLeft(t *testing.T) {
	dies(t, syscall.SIGTERM, "first\nsecond\n", testbin.Build{}, "", "cleanup", 15, "stuck")
}

func TestProgramsThatAreExecutedInheritWhatTheParentSet(t *testing.T) {
	for options, want := range map[string][2]string{
		"":                                       {"0000000000000000", "0000000000000000"},
		"--ignore-signal=PIPE":                   {"0000000000000000", "0000000000001000"},
		"--ignore-signal=1,2,3,10,12,15":         {"0000000000000000", "0000000000004a07"},
		"--block-signal=10,13 --ignore-signal=1": {"0000000000001200", "0000000000000001"},
	} {
		prints(t, fmt.Sprintf("SigBlk:\t%s\nSigIgn:\t%s\n", want[0], want[1]), options, "child")
	}
}
