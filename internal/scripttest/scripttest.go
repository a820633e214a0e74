// Package scripttest runs the testscripts of a tool: a script in testdata pins
// one behaviour, as a user would see it.
package scripttest

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
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
// environment. A script may begin with [missing:root], [missing:no-selinux] or
// [missing:PROGRAM], and skip for what it needs; where CI=true that is an error,
// but for SELinux. Its programs do not ignore a hangup even where this process
// was started to ignore it (nohup).
func Run(t *testing.T, variables ...string) {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Vars = append(append(env.Vars, "GORACE="+noExitSleep), variables...)
			return nil
		},
		Condition: missing,
	})
}

func missing(condition string) (bool, error) {
	need, ok := strings.CutPrefix(condition, "missing:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	absent := os.Geteuid() != 0
	switch need {
	case "root":
	case "no-selinux":
		_, err := os.Stat("/sys/fs/selinux/enforce")
		return err == nil, nil // then there is nothing to see
	default:
		_, err := exec.LookPath(need)
		absent = err != nil
	}
	if absent && os.Getenv("CI") == "true" {
		return false, fmt.Errorf("%s is missing, and nothing may be skipped under CI=true", need)
	}
	return absent, nil
}
