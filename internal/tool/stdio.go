package tool

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/rawio"
)

// stdio holds the three standard descriptors. Tests use other numbers.
type stdio struct {
	in, out, err int
	closed       func(fd int) bool // reports whether 0, 1 or 2 was closed at the start
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

// CloseStdin closes standard input and returns the error of close(2).
func (inv *Invocation) CloseStdin() error {
	fd, err := inv.Stdin()
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// closeStdout writes pending text, closes standard output and reports the first
// error of either, as GNU's close_stdout does: NFS reports a full disk no earlier
// than close(2). A descriptor that was closed and not used is no error.
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

// Printf writes text on standard output: at once to a terminal, otherwise
// buffered. An error is reported when the tool ends.
func (inv *Invocation) Printf(format string, args ...any) {
	showErrors(args)
	inv.text.print(fmt.Sprintf(format, args...))
}

// A text buffers what is printed on standard output.
type text struct {
	std stdio

	mu      sync.Mutex
	pending []byte
	err     error // the first one
}

const pipeBuf = 4096 // PIPE_BUF: a write of so many bytes to a pipe is atomic (pipe(7))

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

// write empties the buffer. After an error it writes nothing more.
func (t *text) write() {
	if len(t.pending) > 0 && t.err == nil {
		t.err = t.deliver()
	}
	t.pending = t.pending[:0]
}

func (t *text) deliver() error {
	if t.std.closed(1) {
		return unix.EBADF
	}
	return rawio.WriteAll(t.std.out, t.pending)
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// Confirm asks a question on standard error, "NAME: question", and reports
// whether the next line of standard input begins with y or Y. It reads byte by
// byte, so that it takes no more than that line.
func (inv *Invocation) Confirm(format string, args ...any) bool {
	inv.put([]byte(inv.Name + ": " + fmt.Sprintf(format, args...)))
	first, b := byte('\n'), make([]byte, 1)
	for at := 0; ; at++ {
		n, err := unix.Read(inv.std.in, b)
		switch {
		case err == unix.EINTR:
			at--
			continue
		case inv.std.closed(0) || err != nil:
			inv.unanswered = true
			fallthrough
		case n == 0 || b[0] == '\n':
			return first == 'y' || first == 'Y'
		case at == 0:
			first = b[0]
		}
	}
}

// closeAnswers reports at the end that Confirm could not read an answer, as GNU's
// close_stdin does.
func (inv *Invocation) closeAnswers() {
	switch {
	case inv.unanswered && inv.std.closed(0):
		inv.Errorf("error closing file: %v", unix.EBADF)
	case inv.unanswered:
		inv.Errorf("error closing file")
	}
}
