package tool

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// stdio is the three standard descriptors. The numbers may be others in tests.
type stdio struct {
	in, out, err int
	closed       func(fd int) bool // whether 0, 1 or 2 was closed at the start
}

// Stdin returns the descriptor of standard input, or EBADF if it was closed
// when the program started.
func (inv *Invocation) Stdin() (int, error) {
	if inv.std.closed(0) {
		return -1, unix.EBADF
	}
	return inv.std.in, nil
}

// Stdout returns the descriptor of standard output, or EBADF if it was closed
// when the program started. It is for data; text goes through Printf.
func (inv *Invocation) Stdout() (int, error) {
	if inv.std.closed(1) {
		return -1, unix.EBADF
	}
	return inv.std.out, nil
}

// CloseStdin closes standard input, for tools that report what that says.
func (inv *Invocation) CloseStdin() error {
	fd, err := inv.Stdin()
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// Printf writes text on standard output: at once if that is a terminal, else
// when there is much of it and at the end. An error is reported at the end.
func (inv *Invocation) Printf(format string, args ...any) {
	showErrors(args)
	inv.text.print(fmt.Sprintf(format, args...))
}

// closeStdout reports what writing text or closing had to say, as GNU's
// close_stdout does: a full disk may be known no earlier (close(2)). A closed
// descriptor that nobody wanted to write to is no error.
func (inv *Invocation) closeStdout() {
	err := inv.text.flush()
	if fd, closed := inv.Stdout(); closed == nil {
		if e := unix.Close(fd); err == nil && e != unix.EBADF {
			err = e
		}
	}
	if err != nil {
		inv.Errorf("write error: %v", err)
	}
}

// A text is what is printed on standard output, gathered in pieces of a pipe's
// atomic size.
type text struct {
	std stdio

	mu      sync.Mutex
	pending []byte
	err     error // the first of all
}

const pipeBuf = 4096 // PIPE_BUF, pipe(7)

func (t *text) print(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending = append(t.pending, s...)
	if len(t.pending) >= pipeBuf || isTerminal(t.std.out) {
		t.write()
	}
}

func (t *text) flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write()
	return t.err
}

// write writes what is pending. After an error there is no point in more.
func (t *text) write() {
	if len(t.pending) == 0 || t.err != nil {
		return
	}
	t.err = unix.EBADF
	if !t.std.closed(1) {
		t.err = writeAll(t.std.out, t.pending)
	}
	t.pending = t.pending[:0]
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// writeAll writes p to a descriptor that may be interrupted, take less, or be
// nonblocking because another process made it so.
func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		switch err {
		case nil:
			p = p[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1) // the next write tells
		default:
			return err
		}
	}
	return nil
}
