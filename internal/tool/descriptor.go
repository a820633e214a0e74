package tool

import (
	"errors"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
)

// Open is open(2) with O_CLOEXEC, repeated when a signal interrupts it: the Go
// scheduler's own signals interrupt an open that waits, of a FIFO or of a file on
// a network filesystem. The descriptor stays blocking and unknown to the
// runtime's poller.
func Open(name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Open(name, flags|unix.O_CLOEXEC, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// Inherited describes a standard descriptor, whose open file description other
// processes may share. It takes the results of Stdin or Stdout, and returns their
// error.
func Inherited(fd int, err error) (*splice.Descriptor, error) {
	return describe(splice.Describe, fd, err)
}

// Opened is Inherited for the results of [Open]: no other process shares the open
// file description.
func Opened(fd int, err error) (*splice.Descriptor, error) {
	return describe(splice.DescribeOwn, fd, err)
}

// describe raises the capacity of a pipe to that of the engine's own pipe, so that
// the process at its other end is woken as rarely as the tool.
func describe(look func(int) (*splice.Descriptor, error), fd int, err error) (*splice.Descriptor, error) {
	if err != nil {
		return nil, err
	}
	d, err := look(fd)
	if err == nil && d.Kind == splice.Pipe {
		_, _ = splice.RaisePipe(fd, splice.DefaultPipeSize) // a smaller pipe works as well
	}
	return d, err
}

// DieOfBrokenPipe ends the process by SIGPIPE if err is EPIPE of a pipe and the
// signal would end a C program. Linux has sent the signal by then. gVisor has
// not: its splice(2) and sendfile(2) only return EPIPE.
func DieOfBrokenPipe(sink splice.Kind, err error) {
	if sink == splice.Pipe && errors.Is(err, unix.EPIPE) && signals.Fatal(syscall.SIGPIPE) {
		signals.Die(syscall.SIGPIPE)
	}
}

// terminating are the signals that another process sends to end this one, without
// SIGKILL, and without SIGUSR1, which ztee, zcp and zpipe catch.
var terminating = []syscall.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR2,
	syscall.SIGALRM, syscall.SIGVTALRM, syscall.SIGXCPU, syscall.SIGIO, syscall.SIGPWR,
}

// GiveBackOnSignal makes a signal that ends the process first give back what a
// Copier has reserved in a file that other processes read or write, too. The
// signals of except are caught elsewhere. Handlers are installed at the first
// reservation.
func GiveBackOnSignal(c *splice.Copier, except ...syscall.Signal) {
	c.BeforeClaims(func() {
		signals.Cleanup(c.GiveBack, slices.DeleteFunc(slices.Clone(terminating), func(sig syscall.Signal) bool {
			return slices.Contains(except, sig)
		})...)
	})
}
