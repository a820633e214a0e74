package endpoint

import (
	"cmp"
	"time"

	"golang.org/x/sys/unix"
)

// Linger waits, after EndOutput, until the host of a TCP peer has acknowledged
// every byte, and throws away what the peer still sends: closing a socket with
// unread bytes makes the kernel reset the connection and drop what has not been
// sent yet. It returns nil for all other streams, whose bytes are with the peer
// or its kernel at once, and where the kernel does not tell how many bytes are
// left (gVisor: ENOPROTOOPT). The error is ETIMEDOUT when nothing has moved for
// idle, 0 being no limit; other errors are the connection's.
func (s *Stream) Linger(idle time.Duration) error {
	if !s.Socket() || s.Out == nil {
		return nil
	}
	fd := s.Out.FD
	if s.Kind == Unix || s.Kind == UnixListen {
		_, _ = discard(fd)
		return nil
	}
	moved, before, pause := time.Now(), -1, time.Millisecond
	for {
		ended, err := discard(fd)
		if err != nil {
			return err
		}
		over := ended && closed(fd) // asked before what is left, which is then final
		unsent, err := unix.IoctlGetInt(fd, unix.TIOCOUTQ)
		if err != nil || unsent == 0 {
			return nil
		}
		if over {
			return whyBroken(fd)
		}
		if unsent != before {
			moved, before = time.Now(), unsent
		}
		if idle > 0 && time.Since(moved) > idle {
			return unix.ETIMEDOUT
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if ended { // it would be ready at all times
			fds[0].Fd = -1
		}
		if _, err := s.opener.poll(fds, pause); err != nil { // nothing tells when the peer's host has answered
			return err
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// Resets reports whether the peer of a stream can be told that something is
// missing: if it is a TCP connection of our own. A pipe, a file and a unix socket
// have nothing but an end.
func (s *Stream) Resets() bool {
	return (s.Kind == TCP || s.Kind == TCPListen) && s.owned && s.Out != nil
}

// resetUnlessEnded makes the kernel reset a TCP connection when it is closed, by
// this process or at its death (SO_LINGER with no time); or not do so any more.
// It is set from the beginning, so that what is cut off never looks complete.
func (s *Stream) resetUnlessEnded(reset bool) {
	l := unix.Linger{}
	if reset {
		l.Onoff = 1
	}
	if s.Resets() {
		_ = unix.SetsockoptLinger(s.Out.FD, unix.SOL_SOCKET, unix.SO_LINGER, &l) // fails for no socket
	}
}

// Drain waits until the host of a TCP peer has acknowledged every byte, at most
// for limit: a reset destroys what is on its way. Where the kernel does not tell
// (gVisor), Drain does not wait.
func (s *Stream) Drain(limit time.Duration) {
	if !s.Resets() {
		return
	}
	fd, end := s.Out.FD, time.Now().Add(limit)
	for pause := time.Millisecond; !closed(fd); pause = min(2*pause, 50*time.Millisecond) {
		unsent, err := unix.IoctlGetInt(fd, unix.TIOCOUTQ)
		left := time.Until(end)
		if err != nil || unsent == 0 || left <= 0 {
			return
		}
		if _, err := s.opener.poll([]unix.PollFd{{Fd: -1}}, min(pause, left)); err != nil {
			return
		}
	}
}

// StopReading ends the input of a TCP connection for who reads it; its peer is
// not told.
func (s *Stream) StopReading() { _ = unix.Shutdown(s.In.FD, unix.SHUT_RD) } // ENOTCONN: it has ended

// closed reports whether a TCP connection is no more. After the peer's end
// read(2) does not tell.
func closed(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == unix.BPF_TCP_CLOSE
}

func whyBroken(fd int) error { return cmp.Or(pendingError(fd), error(unix.ECONNRESET)) }

// pendingError returns and clears the error of a socket that no call has returned
// yet (SO_ERROR in socket(7)), or nil.
func pendingError(fd int) error {
	if errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}

// Broken reports whether a TCP connection that gives no more, and whose peer has
// not been told an end, was reset: before its peer's end, or after it. A reset is an
// error once only: if a write has got it, a read finds an end.
func (s *Stream) Broken() bool { return s.Resets() && closed(s.Out.FD) }

// PendingError returns the error of a socket that no call has returned yet, which
// no call returns then, or nil. After a reset it is EPIPE if the peer had ended its
// output before, and ECONNRESET if it had not.
func (s *Stream) PendingError() error { return pendingError(s.Out.FD) }

// Discard throws away what a socket has to be read, and reports whether there is
// nothing more to come.
func (s *Stream) Discard() (over bool) {
	ended, err := discard(s.In.FD)
	return ended || err != nil
}

// discard reads what there is, and reports whether that was the end. What a peer
// sends as fast as it is read has no end: it stops after about as much as the
// kernel holds of a unix socket.
func discard(fd int) (ended bool, err error) {
	var waste [4096]byte
	for range 64 {
		n, err := unix.Read(fd, waste[:])
		switch {
		case err == unix.EAGAIN:
			return false, nil
		case err == unix.EINTR:
		case err != nil:
			return true, err
		case n == 0:
			return true, nil
		}
	}
	return false, nil
}
