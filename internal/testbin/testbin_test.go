package testbin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestToolsKnowWhatTheRuntimeHides(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", `trap '' PIPE; exec "$0" </dev/zero`, filepath.Join(Dir(t), "zcat"))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = w, &said
	cmd.Run()
	if want := "zcat: write error: Broken pipe\n"; said.String() != want {
		t.Errorf("with SIGPIPE ignored: %v, %q, want %q", cmd.ProcessState, said.String(), want)
	}
}

func TestToolsAreBuiltOnce(t *testing.T) {
	if a, b := Dir(t), Dir(t); a != b {
		t.Errorf("%s and %s", a, b)
	}
}

// The child is this test with a variable set.
func TestNothingStaysWhenTheProcessIsKilled(t *testing.T) {
	const variable = "TESTBIN_DIE"
	if os.Getenv(variable) != "" {
		os.Stdout.WriteString("built in " + Dir(t) + "\n")
		unix.Kill(os.Getpid(), unix.SIGKILL)
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), variable+"=1")
	out, err := child.CombinedOutput()
	_, line, _ := strings.Cut(string(out), "built in ")
	dir, _, found := strings.Cut(line, "\n")
	if err == nil || !found {
		t.Fatalf("the child ended with %v: %s", err, out)
	}
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
	}
	t.Errorf("%s is still there", dir)
}
