package tool

import "golang.org/x/sys/unix"

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
