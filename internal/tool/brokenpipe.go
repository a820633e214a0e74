package tool

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"

	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
)

// DieOfBrokenPipe ends the process by SIGPIPE if err says that a pipe has no reader
// and the signal would have ended a C program. The kernel has sent the
// signal already, except gVisor's, whose splice(2) and sendfile(2) only fail.
func DieOfBrokenPipe(sink splice.Kind, err error) {
	if sink == splice.Pipe && errors.Is(err, unix.EPIPE) && signals.Fatal(syscall.SIGPIPE) {
		signals.Die(syscall.SIGPIPE)
	}
}
