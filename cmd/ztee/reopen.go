package main

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// Log rotation renames a file and sends SIGHUP to who writes to it. What was
// written before goes to the old file, what comes after to a new one of the
// same name. The signal is turned into a byte in a pipe that the engine
// watches, so that the change happens between two rounds, when every output
// has the same bytes.

// reopenOnSignal returns nil without --reopen.
func (t *tee) reopenOnSignal() (*splice.Event, error) {
	if !t.inv.Flags.Bool("reopen") {
		return nil, nil
	}
	var wake [2]int
	if err := unix.Pipe2(wake[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			_, _ = unix.Write(wake[1], []byte{0}) // EAGAIN: it has not looked yet
		}
	}()
	return &splice.Event{FD: wake[0], Handle: func() error {
		var all [512]byte
		_, _ = unix.Read(wake[0], all[:])
		return t.reopen()
	}}, nil
}

// reopen opens every file again. One that cannot be opened is reported, and
// its output goes on where it was.
func (t *tee) reopen() error {
	for _, o := range t.outputs {
		if o.FD <= 2 || o.Err != nil || o.Kind != splice.Regular {
			continue
		}
		if err := t.renew(o); err != nil {
			t.inv.Fail(o.name, err)
			if t.mode.exits {
				return errExit
			}
		}
	}
	return nil
}

// renew puts the end of the file that now has the output's name, be it the same
// one, in place of its descriptor.
func (t *tee) renew(o *output) error {
	fd, err := tool.Open(o.name, t.flags&^unix.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	renewed, err := tool.Opened(fd, nil)
	if err == nil && renewed.Kind == splice.Regular {
		renewed.Offset, err = unix.Seek(fd, 0, unix.SEEK_END)
	}
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	if err := t.finish(o); err != nil {
		t.inv.Fail(o.name, err)
	}
	*o.Descriptor = *renewed
	return nil
}
