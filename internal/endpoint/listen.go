package endpoint

import (
	"fmt"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// A Listener waits for connections.
type Listener struct {
	FD      int
	Address string // where: "127.0.0.1:4711", "/run/a.sock", "@name"

	opener   *Opener
	endpoint Endpoint
	family   int
	file     os.FileInfo // the socket's, to know it again; nil if it has none
}

// backlog is how many connections the kernel holds for us, at most
// net.core.somaxconn.
const backlog = 4096

// Listen binds the endpoint's address. The error is an errno or a *NameError;
// EADDRINUSE also where a file is in a socket's place that is none or that
// somebody answers on.
func (o *Opener) Listen(e Endpoint) (*Listener, error) {
	if e.Kind == UnixListen {
		return o.listenUnix(e)
	}
	addresses, err := o.addresses(e)
	if err != nil {
		return nil, err
	}
	sa, family := sockaddr(addresses[0], e.port)
	fd, err := newSocket(family)
	if err != nil {
		return nil, err
	}
	l := &Listener{FD: fd, opener: o, endpoint: e, family: family}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, sa)
	}
	return l.listen(err)
}

// listen finishes what Listen has begun, unless that has failed.
func (l *Listener) listen(err error) (*Listener, error) {
	if err == nil {
		err = unix.Listen(l.FD, backlog)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	if sa, err := unix.Getsockname(l.FD); err == nil {
		l.Address = format(sa)
	}
	return l, nil
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
	l := &Listener{FD: fd, opener: o, endpoint: e, family: unix.AF_UNIX}
	_ = unix.Fchmod(fd, 0o600) // the mode that bind(2) gives the file
	return l.listen(o.bound.bind(l, sa))
}

// bound are the sockets that have a file.
type bound struct {
	mu  sync.Mutex
	all []*Listener
}

// bind binds the address, and notes the file that this has made.
func (b *bound) bind(l *Listener, sa unix.Sockaddr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	path := l.endpoint.path
	err := unix.Bind(l.FD, sa)
	if err == unix.EADDRINUSE && path[0] != '@' && removeDead(path, sa) {
		err = unix.Bind(l.FD, sa)
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
// whether it did.
func removeDead(path string, sa unix.Sockaddr) bool {
	before, ok := isSocket(path)
	if !ok {
		return false
	}
	fd, err := newSocket(unix.AF_UNIX)
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
func (l *Listener) ChosenPort() bool { return l.endpoint.Kind == TCPListen && l.endpoint.port == 0 }

// Accept returns a connection that waits. Without one it is EAGAIN; EMFILE and
// ENFILE leave it in the queue.
func (l *Listener) Accept() (*Stream, error) {
	for {
		fd, sa, err := unix.Accept4(l.FD, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch err {
		case nil:
			return l.opener.connected(l.endpoint, fd, l.family, peerName(fd, sa))
		case unix.EINTR, unix.ECONNABORTED: // gone again
		default:
			return nil, err
		}
	}
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
	_ = l.opener.close(l.FD)
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
		if _, err := o.poll([]unix.PollFd{{Fd: int32(l.FD), Events: unix.POLLIN}}, -1); err != nil {
			return nil, err
		}
	}
}
