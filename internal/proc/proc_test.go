package proc

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// enough is when something counts as hanging.
const enough = time.Minute

func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for start := time.Now(); !so(); time.Sleep(time.Millisecond) {
		if time.Since(start) > enough {
			t.Fatal("waited in vain for ", what)
		}
	}
}

// start runs a shell script, whose output can be read.
func start(t *testing.T, session bool, script string) (*Process, *bufio.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	p, err := Start(Command{Argv: []string{"sh", "-c", script}, Files: [3]int{0, int(w.Fd()), 2}, Session: session})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.End(0) })
	return p, bufio.NewReader(r)
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	text, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

func number(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	n, err := strconv.Atoi(line(t, r))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func runs(pid int) bool {
	e, ok := look(pid)
	return ok && !e.dead()
}

func TestTheStatusIsAShells(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 3": 3, "kill -TERM $$": 128 + 15, "kill -9 $$": 128 + 9} {
		p, _ := start(t, true, script)
		if got := Status(p.Wait()); got != want {
			t.Errorf("%s: %d, want %d", script, got, want)
		}
		if again := Status(p.Wait()); again != want {
			t.Errorf("%s: %d at the second time", script, again)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"no-such-command-anywhere": NotFound, dir + "/nothing": NotFound, dir: NotExecutable, dir + "/data": NotExecutable} {
		if _, err := Start(Command{Argv: []string{name}, Files: [3]int{0, 1, 2}}); err == nil || StartStatus(err) != want {
			t.Errorf("%s: %v is %d, want %d", name, err, StartStatus(err), want)
		}
	}
}

func TestASessionEndsWithEverythingInIt(t *testing.T) {
	p, out := start(t, true, `sh -c 'sleep 1000 & echo $!; wait' & sleep 1000 & echo $!; wait`)
	job, child := number(t, out), number(t, out)
	p.End(enough)
	if got := Status(p.Wait()); got != 128+15 {
		t.Errorf("status %d", got)
	}
	if runs(job) || runs(child) {
		t.Errorf("%v, %v run on", runs(job), runs(child))
	}
}

func TestWhatIgnoresSIGTERMIsKilledAfterTheGrace(t *testing.T) {
	p, out := start(t, true, `trap '' TERM; sleep 1000 & echo $!; wait`)
	child := number(t, out)
	p.End(50 * time.Millisecond)
	if got := Status(p.Wait()); got != 128+9 {
		t.Errorf("status %d", got)
	}
	waitFor(t, "the child to end", func() bool { return !runs(child) })
}

// The leader ends at once.
func TestAChildThatIgnoresSIGTERMIsKilledAlthoughItsParentHasEnded(t *testing.T) {
	p, out := start(t, true, `(trap '' TERM; echo ready; exec sleep 1000) & echo $!; wait`)
	child, err := strconv.Atoi(strings.Trim(line(t, out)+line(t, out), "ready"))
	if err != nil {
		t.Fatal(err)
	}
	p.End(50 * time.Millisecond)
	if got := Status(p.Wait()); got != 128+15 {
		t.Errorf("status %d", got)
	}
	waitFor(t, "the child to end", func() bool { return !runs(child) })
}

func TestTheGraceIsTimeToEndInOrder(t *testing.T) {
	p, out := start(t, true, `trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done`)
	_ = line(t, out)
	p.End(enough)
	if got := line(t, out); got != "bye" {
		t.Errorf("%q", got)
	}
	if got := Status(p.Wait()); got != 3 {
		t.Errorf("status %d", got)
	}
}

func TestOrphansAreEndedAndReapedButNotDaemons(t *testing.T) {
	Adopt()
	p, out := start(t, false, `sleep 1000 & echo $!; setsid sh -c 'echo $$; exec sleep 1000' & exit 7`)
	orphan, daemon := number(t, out), number(t, out)
	if got := Status(p.Wait()); got != 7 {
		t.Errorf("status %d", got)
	}
	EndAll(enough)
	waitFor(t, "the orphan to be reaped", func() bool { _, ok := look(orphan); return !ok })
	if !runs(daemon) {
		t.Error("the daemon has ended")
	}
	_ = unix.Kill(daemon, unix.SIGKILL)
	waitFor(t, "the daemon to be reaped", func() bool { _, ok := look(daemon); return !ok })

	p, out = start(t, false, `trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done`)
	_ = line(t, out)
	SignalAll(unix.SIGUSR1)
	if got := Status(p.Wait()); got != 5 {
		t.Errorf("status %d", got)
	}
}
