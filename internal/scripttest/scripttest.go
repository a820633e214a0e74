// Package scripttest runs the testscripts of a tool: a script in testdata pins
// one behaviour, as a user would see it.
package scripttest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"zeroutils/internal/testbin"

	"zeroutils/internal/testfs"
)

// With the race detector a program takes a second to end unless $GORACE says
// this.
const noExitSleep = "atexit_sleep_ms=0"

// Main is for TestMain. Tests and scripts find main under the given names. There
// it stays in one thread, because strace counts calls by the thread ("when=").
func Main(m *testing.M, main func(), names ...string) {
	os.Setenv("GORACE", noExitSleep)
	commands := map[string]func(){}
	for _, name := range names {
		commands[name] = func() {
			runtime.LockOSThread()
			main()
		}
	}
	testscript.Main(m, commands)
}

// Run runs all scripts in testdata, with variables such as "NAME=value" in the
// environment. $BUILT is a directory with the tools as users have them: those
// know what was closed when they were started. A script may begin with
// [missing:root], [missing:pipe-allowance], [missing:no-selinux] or [missing:PROGRAM], and skip for what
// it needs; where CI=true that is an error, unless the kernel lacks it. Its
// programs do not ignore a hangup even where this process was started to ignore
// it (nohup).
func Run(t *testing.T, variables ...string) {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	deadline, _ := t.Deadline()
	built := testbin.Dir(t)
	for _, file := range files {
		var lack lack
		testscript.RunT(script{t, &lack}, testscript.Params{
			Files:    []string{file},
			Deadline: deadline,
			Setup: func(env *testscript.Env) error {
				env.Vars = append(append(env.Vars, "GORACE="+noExitSleep, "BUILT="+built), variables...)
				return nil
			},
			Condition: lack.missing,
		})
	}
}

// A script is the test of one script. It says why it is skipped in the words of
// package testfs, besides its own.
type script struct {
	*testing.T
	lack *lack
}

func (s script) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { f(script{t, s.lack}) })
}

// The reason comes last, after the log that testscript writes while the script
// is left: the last line before "--- SKIP" is what scripts/gotest counts.
func (s script) Skip(own ...any) {
	s.Helper()
	s.Log(own...)
	reason := s.lack.reason
	s.Cleanup(func() { s.Log(reason) })
	s.SkipNow()
}

func (s script) Verbose() bool { return testing.Verbose() }

// A lack is what a script was found to miss.
type lack struct{ reason string }

// missing decides the conditions of a script.
func (l *lack) missing(condition string) (bool, error) {
	need, ok := strings.CutPrefix(condition, "missing:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	switch need {
	case "root":
		if os.Geteuid() == 0 {
			return false, nil
		}
		l.reason = testfs.NotRoot
	case "pipe-allowance":
		if testfs.HasPipeAllowance() {
			return false, nil
		}
		l.reason = testfs.NoPipeAllowance
	case "no-selinux":
		l.reason = testfs.NoSELinux.Lacking()
		return l.reason != "", nil
	default:
		if _, err := exec.LookPath(need); err == nil {
			return false, nil
		}
		l.reason = testfs.Missing(need)
	}
	if os.Getenv("CI") == "true" {
		return false, errors.New("cannot be skipped under CI=true: " + l.reason)
	}
	return true, nil
}
