package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
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
			if got := errorsOf(t, prepare+zpipe+" run --"+look); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// errorsOf is what a script prints on standard error.
func errorsOf(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-c", script)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, &errors)
	}
	return errors.String()
}
