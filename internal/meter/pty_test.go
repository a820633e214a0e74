package meter

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A pty is a pseudo-terminal: what is written on the terminal's descriptor can
// be read from the master.
type pty struct {
	master *os.File
	fd     int
}

// newPTY opens a terminal of that many columns. It is nobody's controlling
// terminal.
func newPTY(t *testing.T, width int) *pty {
	t.Helper()
	t.Setenv("TERM", "xterm")
	master := must(unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0))(t)
	number := must(unix.IoctlGetInt(master, unix.TIOCGPTN))(t)
	ok(t, unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0))
	fd := must(unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0))(t)
	p := &pty{os.NewFile(uintptr(master), "master"), fd}
	t.Cleanup(func() { p.master.Close(); unix.Close(fd) })
	p.resize(t, width)
	return p
}

func (p *pty) resize(t *testing.T, width int) { p.resizeTo(t, width, 24) }

func (p *pty) resizeTo(t *testing.T, width, height int) {
	t.Helper()
	ok(t, unix.IoctlSetWinsize(p.fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(height), Col: uint16(width)}))
}

// patience is what a test waits for what must come. It never decides whether
// a test passes, only when a broken one fails.
const patience = time.Minute

// expect reads until the terminal has shown that much, and compares.
func (p *pty) expect(t *testing.T, want string) {
	t.Helper()
	ok(t, p.master.SetReadDeadline(time.Now().Add(patience)))
	var got []byte
	for buffer := make([]byte, 4096); len(got) < len(want); {
		n, err := p.master.Read(buffer[:len(want)-len(got)])
		if got = append(got, buffer[:n]...); err != nil {
			t.Fatalf("got %q and %v, want %q", got, err, want)
		}
	}
	if string(got) != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// until reads until the terminal has shown an end, and returns what was before.
func (p *pty) until(t *testing.T, end string) string {
	t.Helper()
	if err := p.master.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Error(err)
	}
	var got []byte
	for buffer := make([]byte, 4096); !bytes.HasSuffix(got, []byte(end)); {
		n, err := p.master.Read(buffer)
		if got = append(got, buffer[:n]...); err != nil {
			t.Errorf("%v after %q", err, got)
			break
		}
	}
	return strings.TrimSuffix(string(got), end)
}

// all returns what was written since the last look.
func (p *pty) all(t *testing.T) string {
	t.Helper()
	const mark = "\x00"
	must(unix.Write(p.fd, []byte(mark)))(t)
	return p.until(t, mark)
}

// shows checks what was written since the last look. The terminal's driver puts
// a carriage return before each newline.
func (p *pty) shows(t *testing.T, want string) {
	t.Helper()
	if got := p.all(t); got != strings.ReplaceAll(want, "\n", "\r\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns the value, or fails the test that it is given.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	ok(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	return string(must(io.ReadAll(r))(t))
}
