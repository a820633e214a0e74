package tool

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// Printf writes text on standard output: at once if that is a terminal, else
// when there is much of it and at the end. An error is reported at the end.
func (inv *Invocation) Printf(format string, args ...any) {
	showErrors(args)
	inv.text.print(fmt.Sprintf(format, args...))
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

// write disposes of what is pending. After an error there is no point in more.
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
	return splice.WriteAll(t.std.out, t.pending)
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}
