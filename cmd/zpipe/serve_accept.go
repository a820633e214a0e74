package main

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
)

// accept waits for a connection. It returns nil when the server is to stop, or
// cannot go on, which has been reported.
func (v *server) accept() *endpoint.Stream {
	for {
		conn, err := v.acceptNext()
		if err == nil {
			return conn
		}
		if stranger, ok := err.(*endpoint.ErrNotAllowed); ok {
			v.journal.say("%s: %v", named(*v.listening()), stranger)
			continue
		}
		switch err {
		case errStopping:
			return nil
		case unix.EAGAIN:
			fds := append(v.listener.Ready(), unix.PollFd{Fd: int32(v.stopped), Events: unix.POLLIN})
			if _, err := v.poller.Poll(fds, -1); err != nil {
				v.inv.Errorf("%s: %v", named(*v.listening()), err)
				return nil
			}
			if fds[len(fds)-1].Revents != 0 {
				return nil
			}
		case unix.EMFILE, unix.ENFILE:
			v.refuse(err)
		case unix.EBADF, unix.EFAULT, unix.EINVAL, unix.ENOTSOCK:
			v.inv.Errorf("%s: %v", named(*v.listening()), err)
			return nil
		default: // of the network or of memory, and so of this connection: accept(2)
			v.complain(err)
			if v.nap() {
				return nil
			}
		}
	}
}

// errStopping is the error of acceptNext when the server is to stop.
var errStopping = errors.New("the server is to stop")

// acceptNext is Listener.Accept, which may block where others share the socket:
// it is left behind then when the server is to stop.
func (v *server) acceptNext() (*endpoint.Stream, error) {
	if !v.listener.Blocks() {
		return v.listener.Accept()
	}
	type result struct {
		conn *endpoint.Stream
		err  error
	}
	accepted := make(chan result, 1)
	go func() {
		conn, err := v.listener.Accept()
		accepted <- result{conn, err}
	}()
	select {
	case got := <-accepted:
		return got.conn, got.err
	case <-v.stop:
		return nil, errStopping
	}
}

// keepSpare opens a descriptor for nothing but to be closed by refuse.
func (v *server) keepSpare() {
	if fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		v.spare = fd
	}
}

// refuse takes a connection off the queue, for which there is no descriptor, and
// closes it. If it stayed there, the queue would be ready at all times, and its
// client would wait for nothing.
func (v *server) refuse(why error) {
	v.complain(why)
	if v.spare >= 0 {
		unix.Close(v.spare)
		v.spare = -1
	}
	conn, err := v.acceptNext()
	if err == nil {
		conn.Abort()
	}
	v.keepSpare()
	if err != nil && err != unix.EAGAIN || v.spare < 0 {
		v.nap()
	}
}

// complain says why a connection is refused.
func (v *server) complain(err error) {
	v.refusals.say("%s: connection refused: %v", named(*v.listening()), err)
}

// nap lets some time pass in which things may become better, and reports
// whether the server is to stop.
func (v *server) nap() bool {
	select {
	case <-v.stop:
		return true
	case <-time.After(100 * time.Millisecond):
		return false
	}
}
