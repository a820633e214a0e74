package endpoint

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

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
	if err := l.who.read(e); err != nil {
		unix.Close(fd)
		return nil, err
	}
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

// bind binds the address, notes the file that this has made, and gives it the
// mode and owner that the endpoint names.
func (b *bound) bind(l *Listener, fd int, sa unix.Sockaddr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	path := l.endpoint.path
	err := unix.Bind(fd, sa)
	if path[0] == '@' {
		return err
	}
	if err == unix.EADDRINUSE {
		err = rebind(path, fd, sa)
	}
	if err != nil {
		return err
	}
	l.file, _ = isSocket(path)
	b.all = append(b.all, l)
	return l.dress(path)
}

// rebind binds an address whose file is a socket on which nobody answers. Of
// several processes that do so at the same time, one gets the address: they lock
// the directory, or the second could unlink the first one's new socket. Without
// the lock nothing is removed: EADDRINUSE.
func rebind(path string, fd int, sa unix.Sockaddr) error {
	unlock, err := lockDirectory(filepath.Dir(path))
	if err != nil {
		return unix.EADDRINUSE
	}
	defer unlock()
	if !removeDead(path, sa) {
		return unix.EADDRINUSE
	}
	return unix.Bind(fd, sa)
}

// lockDirectory locks a directory for processes that do the same, by flock(2). It
// waits two seconds at most: EAGAIN.
func lockDirectory(name string) (unlock func(), err error) {
	dir, err := open(name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	const tries, pause = 200, 10 * time.Millisecond
	for range tries {
		if err = unix.Flock(dir, unix.LOCK_EX|unix.LOCK_NB); err == nil {
			return func() { unix.Close(dir) }, nil
		}
		if err != unix.EAGAIN && err != unix.EINTR {
			break
		}
		time.Sleep(pause)
	}
	unix.Close(dir)
	return nil, err
}

// Unlink removes the files of all listening sockets that are still ours, and
// those that are not complete. It is for a process that is about to die.
func (o *Opener) Unlink() {
	o.replacements.unlink()
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
// would take a connection for what it has been waiting for. The directory is locked.
func removeDead(path string, sa unix.Sockaddr) bool {
	if _, ok := isSocket(path); !ok {
		return false
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Connect(fd, sa) == unix.ECONNREFUSED && unix.Unlink(path) == nil
}
