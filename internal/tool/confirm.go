package tool

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Confirm asks a question on standard error, "NAME: question", and reports
// whether the next line of standard input begins with y or Y. It takes no more
// than that line.
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

// closeAnswers reports that an answer could not be read, when the program ends,
// as GNU's close_stdin does.
func (inv *Invocation) closeAnswers() {
	switch {
	case inv.unanswered && inv.std.closed(0):
		inv.Errorf("error closing file: %v", unix.EBADF)
	case inv.unanswered:
		inv.Errorf("error closing file")
	}
}
