package endpoint

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Listener waits for connections.
type Listener struct {
	FDs     []int  // a socket for each address, mostly one
	Address string // where the first is: "127.0.0.1:4711", "/run/a.sock", "@name"

	opener    *Opener
	endpoint  Endpoint
	file      os.FileInfo // the socket's, to know it again; nil if it has none
	inherited bool        // the sockets, which others may share
	turn      int         // the socket that is asked first
	who       access
}

// backlog is how many connections the kernel holds for us, at most
// net.core.somaxconn.
const backlog = 4096

// Listen binds the endpoint's address, or all those of a host's name that this
// machine has. The error is an errno or a *NameError; EADDRINUSE also where a
// file is in a socket's place that is none or that somebody answers on.
func (o *Opener) Listen(e Endpoint) (*Listener, error) {
	switch e.Kind {
	case UnixListen:
		return o.listenUnix(e)
	case Descriptor:
		return o.listenOn(e, e.fd)
	case ListenFDs:
		return o.listenOnPassed(e)
	}
	addresses, port, err := o.resolve(e, time.Time{})
	if err != nil {
		return nil, err
	}
	const tries = 10 // for a port that the kernel chose for one address and that is in use at another
	for range tries {
		l := &Listener{opener: o, endpoint: e}
		if err = l.bindAll(addresses, port); err == nil {
			return l, nil
		}
		l.Close()
		if err != unix.EADDRINUSE || !l.ChosenPort() {
			break
		}
	}
	return nil, err
}

// bindAll listens at every address that this machine has. The error is the last
// one's if it has none.
func (l *Listener) bindAll(addresses []netip.Addr, port uint16) error {
	missing := error(nil)
	for _, a := range addresses {
		switch err := l.bindTo(a, port); err {
		case nil:
		case unix.EADDRNOTAVAIL, unix.EAFNOSUPPORT:
			missing = err
			continue
		default:
			return err
		}
		if sa, err := unix.Getsockname(l.FDs[0]); err == nil && port == 0 {
			port = portIn(sa)
		}
	}
	if len(l.FDs) == 0 {
		return missing
	}
	return nil
}

func (l *Listener) bindTo(a netip.Addr, port uint16) error {
	sa, family, err := sockaddr(a, port)
	if err != nil {
		return err
	}
	fd, err := newSocket(family)
	if err != nil {
		return err
	}
	if family == unix.AF_INET6 && l.endpoint.family == unix.AF_INET6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err == nil {
		err = unix.Bind(fd, sa)
	}
	return l.listen(fd, err)
}

// listen adds a socket that binding has led to the given error.
func (l *Listener) listen(fd int, err error) error {
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	l.FDs = append(l.FDs, fd)
	if sa, err := unix.Getsockname(fd); err == nil && l.Address == "" {
		l.Address = format(sa)
	}
	return nil
}

// ChosenPort reports whether the kernel chose the port, as it does for 0.
func (l *Listener) ChosenPort() bool {
	return l.endpoint.Kind == TCPListen && l.endpoint.port == 0 && l.endpoint.service == ""
}

// ErrNotAllowed is the error of Accept for a peer that is none of those who may
// connect. The connection has been closed.
type ErrNotAllowed struct{ Peer string }

func (e *ErrNotAllowed) Error() string { return e.Peer + " may not connect" }

// Accept returns a connection that waits. The sockets take turns, so that none
// waits for ever while another is busy. Without a connection the error is EAGAIN;
// EMFILE and ENFILE leave it in the queue.
func (l *Listener) Accept() (*Stream, error) {
	err := error(unix.EAGAIN)
	for range l.FDs {
		fd := l.FDs[l.turn%len(l.FDs)]
		var s *Stream
		if s, err = l.acceptFrom(fd); err != unix.EAGAIN {
			if err == nil {
				l.turn++
			}
			return s, err
		}
		l.turn++
	}
	return nil, err
}

// Blocks reports whether Accept may block although a socket was ready: another
// process that shares an inherited one may be faster, and the flag O_NONBLOCK is
// its as well.
func (l *Listener) Blocks() bool { return l.inherited }

func (l *Listener) acceptFrom(socket int) (*Stream, error) {
	if l.inherited {
		fds := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLIN}}
		if n, err := Poll(fds, 0); n == 0 {
			return nil, cmp.Or(err, error(unix.EAGAIN))
		}
	}
	for {
		fd, sa, err := unix.Accept4(socket, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch err {
		case nil:
			return l.admit(fd, sa)
		case unix.EINTR, unix.ECONNABORTED: // gone again
		default:
			return nil, err
		}
	}
}

// admit makes a stream of a connection, if its peer may connect.
func (l *Listener) admit(fd int, sa unix.Sockaddr) (*Stream, error) {
	e := l.endpoint
	if e.Kind != TCPListen {
		e.Kind = TCPListen
		if _, local := sa.(*unix.SockaddrUnix); local {
			e.Kind = UnixListen
		}
	}
	if e.Kind == TCPListen {
		return l.opener.connected(e, fd, format(sa))
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		_ = l.opener.close(fd)
		return nil, err
	}
	peer := fmt.Sprintf("process %d", cred.Pid)
	if !l.who.allows(fd, cred) {
		_ = l.opener.close(fd)
		return nil, &ErrNotAllowed{fmt.Sprintf("%s of user %d", peer, cred.Uid)}
	}
	s, err := l.opener.connected(e, fd, peer)
	if err == nil {
		s.peerUID = cred.Uid
	}
	return s, err
}

// Ready is what to wait for before Accept.
func (l *Listener) Ready() (fds []unix.PollFd) {
	for _, fd := range l.FDs {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return fds
}

// Close stops listening, and removes the socket's file if it is still ours.
func (l *Listener) Close() {
	l.opener.bound.forget(l)
	for _, fd := range l.FDs {
		_ = l.opener.close(fd)
	}
	l.FDs = nil
}

// acceptOne waits for a single connection.
func (o *Opener) acceptOne(e Endpoint) (*Stream, error) {
	l, err := o.Listen(e)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if o.Listening != nil {
		o.Listening(l)
	}
	for {
		s, err := l.Accept()
		if _, stranger := err.(*ErrNotAllowed); err != unix.EAGAIN && !stranger {
			return s, err
		}
		if _, err := o.poll(l.Ready(), -1); err != nil {
			return nil, err
		}
	}
}
