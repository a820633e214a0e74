package endpoint

import (
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// connect connects to a socket that the endpoint names, and does so again where
// it says ",retry=". Each attempt is given up after the timeout.
func (o *Opener) connect(e Endpoint) (*Stream, error) {
	for attempt := 0; ; attempt++ {
		s, err := o.connectOnce(e)
		if err == nil || attempt >= e.options.retries {
			return s, err
		}
		if _, err := o.poll([]unix.PollFd{{Fd: -1}}, e.options.interval); err != nil {
			return nil, err
		}
	}
}

// connectOnce takes the first of a host's addresses that answers; the error is
// that of the first address. Each has its part of the time that is left.
func (o *Opener) connectOnce(e Endpoint) (*Stream, error) {
	end := noLimit
	if o.Timeout > 0 {
		end = time.Now().Add(o.Timeout)
	}
	if e.Kind == Unix {
		sa, err := socketName(e.path)
		if err != nil {
			return nil, err
		}
		return o.connectTo(e, sa, unix.AF_UNIX, end)
	}
	addresses, port, err := o.resolve(e, end)
	if err != nil {
		return nil, err
	}
	var first error
	for i, a := range addresses {
		part := end
		if rest := len(addresses) - i; !end.IsZero() {
			part = time.Now().Add(time.Until(end) / time.Duration(rest))
		}
		sa, family, err := sockaddr(a, port)
		if err == nil {
			var s *Stream
			if s, err = o.connectTo(e, sa, family, part); err == nil {
				return s, nil
			}
		}
		if first == nil {
			first = err
		}
	}
	o.hosts.forget(e.host) // it may have moved
	return nil, first
}

func (o *Opener) connectTo(e Endpoint, sa unix.Sockaddr, family int, end time.Time) (*Stream, error) {
	fd, err := newSocket(family)
	if err != nil {
		return nil, err
	}
	if e.options.bind.IsValid() {
		err = bindClient(fd, e, family)
	}
	if err == nil {
		err = o.queue(fd, sa, end)
	}
	if err == unix.EINPROGRESS || err == unix.EINTR { // it goes on in the background
		err = o.finishConnecting(fd, end)
	}
	if err != nil {
		_ = o.close(fd)
		return nil, err
	}
	return o.connected(e, fd, "")
}

// bindClient gives a connection the address that the endpoint says it comes from.
func bindClient(fd int, e Endpoint, family int) error {
	sa, bound, err := sockaddr(e.options.bind.Addr(), e.options.bind.Port())
	if err != nil {
		return err
	}
	if bound != family {
		return unix.EAFNOSUPPORT
	}
	if e.options.bind.Port() == 0 { // it is chosen by connect(2), which knows which are free for this peer
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	return unix.Bind(fd, sa)
}

func newSocket(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
}

// queue is a nonblocking connect(2) that waits for a place in the queue of a unix
// socket: nothing tells when there is one.
func (o *Opener) queue(fd int, sa unix.Sockaddr, end time.Time) error {
	pause := time.Millisecond
	for {
		err := unix.Connect(fd, sa)
		if _, local := sa.(*unix.SockaddrUnix); err != unix.EAGAIN || !local {
			return err
		}
		if !end.IsZero() && time.Now().After(end) {
			return unix.ETIMEDOUT
		}
		if _, err := o.poll([]unix.PollFd{{Fd: -1}}, pause); err != nil {
			return err
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// finishConnecting waits until a connect(2) in progress has succeeded or not.
func (o *Opener) finishConnecting(fd int, end time.Time) error {
	limit := time.Duration(-1)
	if !end.IsZero() {
		limit = max(0, time.Until(end))
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
	s.resetUnlessEnded(true)
	return s, nil
}
