package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
)

// accept waits for a connection. It returns nil when the server is to stop, or
// cannot go on, which has been reported.
func (v *server) accept() *endpoint.Stream {
	for {
		conn, err := v.listener.Accept()
		switch err {
		case nil:
			return conn
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
	conn, err := v.listener.Accept()
	if err == nil {
		_ = conn.Close()
	}
	v.keepSpare()
	if err != nil && err != unix.EAGAIN || v.spare < 0 {
		v.nap()
	}
}

// complain says why connections are refused, once a second at most.
func (v *server) complain(err error) {
	if v.refusals.allows() {
		v.inv.Warnf("%s: connection refused: %v", named(*v.listening()), err)
	}
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

// A throttle allows something once a second.
type throttle struct{ next time.Time }

func (t *throttle) allows() bool {
	now := time.Now()
	if now.Before(t.next) {
		return false
	}
	t.next = now.Add(time.Second)
	return true
}
