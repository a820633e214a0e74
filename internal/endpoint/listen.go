package endpoint

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// A Listener waits for connections.
type Listener struct {
	FDs     []int  // a socket for each address, mostly one
	Address string // where the first is: "127.0.0.1:4711", "/run/a.sock", "@name"

	opener   *Opener
	endpoint Endpoint
	file     os.FileInfo // the socket's, to know it again; nil if it has none
}

// backlog is how many connections the kernel holds for us, at most
// net.core.somaxconn.
const backlog = 4096

// Listen binds the endpoint's address, or all those of a host's name that this
// machine has. The error is an errno or a *NameError; EADDRINUSE also where a
// file is in a socket's place that is none or that somebody answers on.
func (o *Opener) Listen(e Endpoint) (*Listener, error) {
	if e.Kind == UnixListen {
		return o.listenUnix(e)
	}
	addresses, err := o.addresses(e)
	if err != nil {
		return nil, err
	}
	port, err := o.portOf(e)
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
	sa, family := sockaddr(a, port)
	fd, err := newSocket(family)
	if err != nil {
		return err
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

func (o *Opener) listenUnix(e Endpoint) (*Listener, error) {
	sa, err := socketName(e.path)
	if err != nil {
		return nil, err
	}
	fd, err := newSocket(unix.AF_UNIX)
	if err != nil {
		return nil, err
	}
	l := &Listener{opener: o, endpoint: e}
	_ = unix.Fchmod(fd, 0o600) // the mode that bind(2) gives the file
	if err := l.listen(fd, o.bound.bind(l, fd, sa)); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// bound are the sockets that have a file.
type bound struct {
	mu  sync.Mutex
	all []*Listener
}

// bind binds the address, and notes the file that this has made.
func (b *bound) bind(l *Listener, fd int, sa unix.Sockaddr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	path := l.endpoint.path
	err := unix.Bind(fd, sa)
	if err == unix.EADDRINUSE && path[0] != '@' && removeDead(path, sa) {
		err = unix.Bind(fd, sa)
	}
	if err == nil && path[0] != '@' {
		l.file, _ = isSocket(path)
		b.all = append(b.all, l)
	}
	return err
}

// Unlink removes the files of all listening sockets that are still ours. It is
// for a process that is about to die.
func (o *Opener) Unlink() {
	o.bound.mu.Lock()
	defer o.bound.mu.Unlock()
	for _, l := range o.bound.all {
		l.unlink()
	}
	o.bound.all = nil
}

// forget removes the file of a listener.
func (b *bound) forget(l *Listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.all, l); i >= 0 {
		l.unlink()
		b.all = slices.Delete(b.all, i, i+1)
	}
}

func (l *Listener) unlink() {
	if now, ok := isSocket(l.endpoint.path); ok && l.file != nil && os.SameFile(l.file, now) {
		_ = unix.Unlink(l.endpoint.path)
	}
}

// removeDead removes a socket's file if nobody answers on it, and reports
// whether it did. It asks with a socket of another type, which is refused by a
// dead one (ECONNREFUSED) and does not suit a living one (EPROTOTYPE): that
// would take a connection for what it has been waiting for.
func removeDead(path string, sa unix.Sockaddr) bool {
	before, ok := isSocket(path)
	if !ok {
		return false
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if unix.Connect(fd, sa) != unix.ECONNREFUSED {
		return false
	}
	now, ok := isSocket(path) // another process may have been as quick as we
	return ok && os.SameFile(before, now) && unix.Unlink(path) == nil
}

// ChosenPort reports whether the kernel chose the port, as it does for 0.
func (l *Listener) ChosenPort() bool {
	return l.endpoint.Kind == TCPListen && l.endpoint.port == 0 && l.endpoint.service == ""
}

// Accept returns a connection that waits. Without one it is EAGAIN; EMFILE and
// ENFILE leave it in the queue.
func (l *Listener) Accept() (*Stream, error) {
	err := error(unix.EAGAIN)
	for _, fd := range l.FDs {
		var s *Stream
		if s, err = l.acceptFrom(fd); err != unix.EAGAIN {
			return s, err
		}
	}
	return nil, err
}

func (l *Listener) acceptFrom(socket int) (*Stream, error) {
	for {
		fd, sa, err := unix.Accept4(socket, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch err {
		case nil:
			return l.opener.connected(l.endpoint, fd, peerName(fd, sa))
		case unix.EINTR, unix.ECONNABORTED: // gone again
		default:
			return nil, err
		}
	}
}

// Ready is what to wait for before Accept.
func (l *Listener) Ready() (fds []unix.PollFd) {
	for _, fd := range l.FDs {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return fds
}

// peerName is who has connected: an address, or the process at the other end of
// a unix socket.
func peerName(fd int, sa unix.Sockaddr) string {
	if _, local := sa.(*unix.SockaddrUnix); !local {
		return format(sa)
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return "a process"
	}
	return fmt.Sprintf("process %d", cred.Pid)
}

// Close stops listening, and removes the socket's file if it is still ours.
func (l *Listener) Close() {
	l.opener.bound.forget(l)
	for _, fd := range l.FDs {
		_ = l.opener.close(fd)
	}
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
		if err != unix.EAGAIN {
			return s, err
		}
		if _, err := o.poll(l.Ready(), -1); err != nil {
			return nil, err
		}
	}
}
