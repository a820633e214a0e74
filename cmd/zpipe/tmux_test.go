package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// A window is one of a real terminal emulator.
type window struct{ socket string }

// newWindow opens a window of a shell, in which the tools are in PATH.
func newWindow(t *testing.T, columns string) *window {
	t.Helper()
	testfs.Need(t, "tmux")
	testfs.Need(t, "bash")
	w := &window{filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { w.tmux(t, "kill-server") })
	w.tmux(t, "-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", "15",
		"env", "PS1=$ ", "PATH="+testbin.Dir(t)+":/usr/bin:/bin", "bash", "--norc", "--noprofile")
	return w
}

func (w *window) tmux(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", w.socket}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (w *window) press(t *testing.T, keys ...string) {
	t.Helper()
	w.tmux(t, append([]string{"send-keys"}, keys...)...)
}

// becomes waits until what can be read matches, and returns it.
func (w *window) becomes(t *testing.T, pattern string) string {
	t.Helper()
	want := regexp.MustCompile(pattern)
	for end := time.Now().Add(enough); ; time.Sleep(50 * time.Millisecond) {
		text := strings.TrimRight(w.tmux(t, "capture-pane", "-p"), "\n")
		if want.MatchString(text) {
			return text
		}
		if time.Now().After(end) {
			t.Fatalf("the window has\n%s\nwant %s", text, pattern)
		}
	}
}

// A display that the machine holds up for as long as ^Z would takes a new row, as
// it should then: only if it never keeps its row something is wrong.
func TestSeveralDisplaysInAPipelineShareTheWindow(t *testing.T) {
	text := ""
	for range 5 {
		text = afterStopAndGo(t)
		if strings.Count(text, " one: ") == 1 && strings.Count(text, " two: ") == 1 && strings.Count(text, " three: ") == 1 {
			return
		}
	}
	t.Errorf("not each is there once:\n%s", text)
}

// afterStopAndGo returns what a window shows in the end.
func afterStopAndGo(t *testing.T) string {
	w := newWindow(t, "60")
	over := filepath.Join(t.TempDir(), "over")
	w.press(t, `{ head -c 1000 /dev/zero; until [ -e "`+over+`" ]; do sleep 0.1; done; } | zpipe -bN one -i 0.2 | zpipe -bN two -i 0.2 | zpipe -bN three -i 0.2 >/dev/null`, "Enter")
	const rows = `(?m)(^ +(one|two|three): 1000  B\n){2} +(one|two|three): 1000  B`
	w.becomes(t, rows+`$`)
	w.press(t, "C-z")
	w.becomes(t, `Stopped`)
	w.press(t, "sleep 1; clear; fg", "Enter") // a display takes a shorter pause for its own slowness
	w.becomes(t, `^{ head(.*\n)+ +(one|two|three): 1000  B$`)
	w.becomes(t, rows+`$`)
	if err := os.WriteFile(over, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	return w.becomes(t, rows+`\n\$ *$`)
}

// What a stage is at can be seen while it is at it, in a window that changes.
func TestALineForEachStageFollowsTheWindow(t *testing.T) {
	w := newWindow(t, "80")
	w.press(t, `zpipe run -i 0.2 -p -- cat /dev/zero ::: sh -c 'read x </dev/tty; exec cat' ::: sh -c 'cat >/dev/null'`, "Enter")
	w.becomes(t, `(?m)^ *cat /dev/zero: .* waiting for output\n *sh -c read.*: .* working\n *sh -c cat >/dev/null: .* waiting for input$`)
	w.tmux(t, "resize-window", "-x", "40", "-y", "15")
	w.becomes(t, `(?m)^ *cat.*: .* output\n *sh.*: .* works\n.* input$`)
	w.press(t, "C-c")
	w.becomes(t, `(?m)^\$ *$`)
}

// A pipeline stops and goes on as one of the shell does, and ends with the
// shell's status for ^C.
func TestAPipelineStopsAndGoesOnAsAJobOfTheShell(t *testing.T) {
	for _, display := range []string{"", "-b -i 0.2"} {
		w := newWindow(t, "80")
		here := t.TempDir()
		w.press(t, "cd '"+here+`'; zpipe run `+display+` -- sh -c 'echo $PPID >zpipe; exec cat /dev/zero' ::: sh -c 'echo $$ >last; cat >/dev/null'`, "Enter")
		zpipe, last := w.pidIn(t, here+"/zpipe"), w.pidIn(t, here+"/last")
		w.press(t, "C-z")
		w.becomes(t, `Stopped`)
		for _, pid := range []int{zpipe, last} {
			waitFor(t, "all to stop", func() bool { return stateOf(pid) == "T" })
		}
		w.press(t, "fg", "Enter")
		for _, pid := range []int{zpipe, last} {
			waitFor(t, "all to go on", func() bool { return stateOf(pid) != "T" })
		}
		w.press(t, "C-c")
		waitFor(t, "all to end", func() bool { return !lives(zpipe) && !lives(last) })
		w.press(t, `echo "status $?"`, "Enter")
		w.becomes(t, `(?m)^status 130$`)
	}
}

// pidIn waits until a process has written its number to a file.
func (w *window) pidIn(t *testing.T, file string) (pid int) {
	t.Helper()
	waitFor(t, file, func() bool {
		text, err := os.ReadFile(file)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err == nil
	})
	return pid
}

// stateOf is the state of a process in proc_pid_stat(5), or "" if it is gone.
func stateOf(pid int) string {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	return strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))[0]
}

// What a stage says, and a window with fewer rows than stages, leave the display
// whole.
func TestAPipelineOfMoreStagesThanRowsIsFolded(t *testing.T) {
	w := newWindow(t, "80")
	w.tmux(t, "resize-window", "-x", "80", "-y", "6")
	over := filepath.Join(t.TempDir(), "over")
	w.press(t, `clear; zpipe run -b -i 0.1 -- sh -c 'echo one; until [ -e "`+over+`" ]; do sleep 0.1; done; echo over >&2'`+strings.Repeat(" ::: cat", 7)+" >/dev/null", "Enter")
	w.becomes(t, `(?m)^ *sh -c .*: +4.00  B .*\n( +cat: +4.00  B .*\n){4}\.\.\. and 3 more$`)
	time.Sleep(time.Second) // ten drawings more, of which none may scroll
	w.becomes(t, `(?m)^ *sh -c .*: +4.00  B .*\n( +cat: +4.00  B .*\n){4}\.\.\. and 3 more$`)
	if strings.Count(w.tmux(t, "capture-pane", "-p", "-S", "-100"), "sh -c") > 2 {
		t.Errorf("rows are repeated:\n%s", w.tmux(t, "capture-pane", "-p", "-S", "-100"))
	}
	if err := os.WriteFile(over, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	w.tmux(t, "resize-window", "-x", "80", "-y", "15")
	w.becomes(t, `(?m)^sh -c [^:]*: over\n *sh -c .*: +4.00  B.* done\n( +cat: +4.00  B.* done\n){7}zpipe: slowest: .*\n\$ *$`)
}

// What the last stage writes to the display's terminal stands above the display,
// as it is.
func TestWhatTheLastStageWritesStandsAboveTheDisplay(t *testing.T) {
	w := newWindow(t, "80")
	over := filepath.Join(t.TempDir(), "over")
	w.press(t, `clear; zpipe run -b -i 0.1 -- sh -c 'echo one; echo two; sleep 0.5; printf three; until [ -e `+over+` ]; do sleep 0.1; done' ::: cat`, "Enter")
	w.becomes(t, `(?m)^one\ntwo\nthree\n *sh -c [^:]*: +13.0  B .*\n +cat: +13.0  B .*$`)
	if err := os.WriteFile(over, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	w.becomes(t, `(?m)^one\ntwo\nthree\n *sh -c [^:]*: +13.0  B.* done\n +cat: +13.0  B.* done\nzpipe: slowest: .*\n\$ *$`)
}
