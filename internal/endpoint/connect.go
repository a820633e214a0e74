package endpoint

import (
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// connect connects to a socket that the endpoint names. Of a host's addresses
// it takes the first that answers; the error is the last one's.
func (o *Opener) connect(e Endpoint) (*Stream, error) {
	if e.Kind == Unix {
		sa, err := socketName(e.path)
		if err != nil {
			return nil, err
		}
		return o.connectTo(e, sa, unix.AF_UNIX)
	}
	addresses, err := o.addresses(e)
	if err != nil {
		return nil, err
	}
	port, err := o.portOf(e)
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		sa, family := sockaddr(a, port)
		var s *Stream
		if s, err = o.connectTo(e, sa, family); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func (o *Opener) connectTo(e Endpoint, sa unix.Sockaddr, family int) (*Stream, error) {
	fd, err := newSocket(family)
	if err != nil {
		return nil, err
	}
	err = o.queue(fd, sa)
	if err == unix.EINPROGRESS || err == unix.EINTR { // it goes on in the background
		err = o.finishConnecting(fd)
	}
	if err != nil {
		_ = o.close(fd)
		return nil, err
	}
	return o.connected(e, fd, "")
}

func newSocket(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
}

// queue is a nonblocking connect(2) that waits for a place in the queue of a unix
// socket: nothing tells when there is one.
func (o *Opener) queue(fd int, sa unix.Sockaddr) error {
	start, pause := time.Now(), time.Millisecond
	for {
		err := unix.Connect(fd, sa)
		if _, local := sa.(*unix.SockaddrUnix); err != unix.EAGAIN || !local {
			return err
		}
		if o.Timeout > 0 && time.Since(start) > o.Timeout {
			return unix.ETIMEDOUT
		}
		if _, err := o.poll([]unix.PollFd{{Fd: -1}}, pause); err != nil {
			return err
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// finishConnecting waits until a connect(2) in progress has succeeded or not.
func (o *Opener) finishConnecting(fd int) error {
	limit := time.Duration(-1)
	if o.Timeout > 0 {
		limit = o.Timeout
	}
	n, err := o.poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, limit)
	if err != nil {
		return err
	}
	if n == 0 {
		return unix.ETIMEDOUT
	}
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	return err
}

func (o *Opener) poll(fds []unix.PollFd, limit time.Duration) (int, error) {
	if o.Poll != nil {
		return o.Poll(fds, limit)
	}
	return Poll(fds, limit)
}

// Poll is poll(2), repeated for the rest of the time when a signal interrupts
// it. A limit below zero is none.
func Poll(fds []unix.PollFd, limit time.Duration) (int, error) {
	end := time.Now().Add(limit)
	for {
		milliseconds := -1
		if limit >= 0 {
			left := max(0, time.Until(end))
			milliseconds = int(min((left+time.Millisecond-1)/time.Millisecond, 1<<30))
		}
		n, err := unix.Poll(fds, milliseconds)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// connected makes a stream of a socket that has a peer. A relay sends on what
// has come at once, so Nagle's algorithm could only delay it; keepalive finds
// out in the end that a peer has vanished.
func (o *Opener) connected(e Endpoint, fd int, peer string) (*Stream, error) {
	if e.Kind == TCP || e.Kind == TCPListen {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = o.close(fd)
		return nil, err
	}
	s := o.stream(e, AsBoth, splice.Opened(fd, &st, unix.O_RDWR|unix.O_NONBLOCK))
	s.owned, s.Peer = true, peer
	return s, nil
}
