package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"zeroutils/internal/testbin"
)

// What a stage starts with is what zpipe started with: signals that are ignored
// or not, and descriptors that are closed or not.
func TestStagesStartWithWhatZpipeStartedWith(t *testing.T) {
	zpipe := filepath.Join(testbin.Dir(t), "zpipe")
	const look = ` sh -c 'grep SigIgn /proc/self/status >&2; for fd in 0 1 2; do [ -e /proc/self/fd/$fd ] && echo "has $fd" >&2; done; true'`
	for name, prepare := range map[string]string{
		"nothing special":    "",
		"SIGPIPE is ignored": "trap '' PIPE; ",
		"SIGTERM is ignored": "trap '' TERM; ",
		"others are ignored": "trap '' INT QUIT HUP USR1 USR2; ",
		"SIGPIPE is caught":  "trap : PIPE; ",
		"input is closed":    "exec <&-; ",
		"output is closed":   "exec >&-; ",
	} {
		t.Run(name, func(t *testing.T) {
			want := errorsOf(t, prepare+look)
			if got := errorsOf(t, prepare+"'"+zpipe+"' run --"+look); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// A signal may come between the start of one stage and the next.
func TestAStageIsToldWhatCameBeforeItWasStarted(t *testing.T) {
	p := &pipeline{settings: &settings{}, stages: []*stage{{argv: []string{"sleep", "60"}}}}
	p.catchSignals()
	p.caught.note(syscall.SIGTERM, p)
	p.start(nil)
	p.stages[0].wait()
	if !p.stages[0].diedOf(syscall.SIGTERM) {
		t.Errorf("it ended with %v", p.stages[0].how)
	}
}

// SIGINT usually comes from the terminal, to the whole process group. If it has
// not, a stage runs on that should have died of it.
func TestASignalToZpipeAloneReachesTheStagesAndTheirChildren(t *testing.T) {
	const child, number = `sh -c 'echo $$ >&3; exec sleep 60'`, 10
	stage := "ulimit -c 0; { " + child + strings.Repeat(" | "+child, number-1) + "; } 3>&1; :"
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			p := launch(t, withPipes, "run", "--", "sh", "-c", stage, ":::", "cat")
			var children []int
			for said := bufio.NewReader(p.stdout); len(children) < number; {
				line, err := said.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				pid, err := strconv.Atoi(strings.TrimSpace(line))
				if err != nil {
					t.Fatal(err)
				}
				children = append(children, pid)
			}
			p.signal(sig)
			if p.wait(); !p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
				t.Errorf("zpipe ended with %v", p.cmd.ProcessState)
			}
			for _, pid := range children {
				waitFor(t, "the stage's child to end", func() bool { return !lives(pid) })
			}
		})
	}
}

// errorsOf is what a script prints on standard error.
func errorsOf(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = append(os.Environ(), "LC_ALL=C") // bash complains of a locale that is not installed
	var errors bytes.Buffer
	cmd.Stderr = &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, &errors)
	}
	return errors.String()
}
