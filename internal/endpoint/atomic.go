package endpoint

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// ErrNotAtomic is the error of ",atomic" for a sink that is there and no regular
// file.
var ErrNotAtomic = errors.New("only a regular file can appear at once")

// A replacement is a sink's file that gets its name when it is complete.
type replacement struct {
	path      string // what it replaces, with links resolved
	excl      bool   // or does not
	temporary string // the name that it has until then; "" is none (O_TMPFILE)
}

// replacements are those whose temporary name is there.
type replacements struct {
	mu    sync.Mutex
	names map[string]struct{}
}

func (r *replacements) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names = map[string]struct{}{}
	}
	r.names[name] = struct{}{}
}

func (r *replacements) drop(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.names, name)
}

// unlink removes all of them, for a process that is about to die.
func (r *replacements) unlink() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name := range r.names {
		_ = unix.Unlink(name)
	}
}

// atomic opens a file without a name, or with a temporary one, beside the one
// that it will replace, whose mode and, where that is permitted, owner it gets.
func (o *Opener) atomic(e Endpoint) (*Stream, error) {
	r := &replacement{path: e.path, excl: e.excl}
	var old unix.Stat_t
	exists := unix.Stat(e.path, &old) == nil
	switch {
	case exists && e.excl:
		return nil, unix.EEXIST
	case exists && old.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, ErrNotAtomic
	}
	if real, err := filepath.EvalSymlinks(e.path); err == nil {
		r.path = real
	}
	fd, err := o.openBeside(r)
	if err != nil {
		return nil, err
	}
	if exists {
		_ = unix.Fchown(fd, int(old.Uid), int(old.Gid)) // EPERM: only root can give files away
		err = unix.Fchmod(fd, old.Mode&0o777)
	}
	var d *splice.Descriptor
	if err == nil {
		d, err = o.describe(fd)
	}
	if err != nil {
		unix.Close(fd)
		o.discard(r)
		return nil, err
	}
	s := o.stream(e, AsSink, d)
	s.owned, s.replacement = true, r
	return s, nil
}

// openBeside prefers a file without a name, of which nothing is left whatever
// this process dies of.
func (o *Opener) openBeside(r *replacement) (int, error) {
	dir := filepath.Dir(r.path)
	if _, err := os.Stat("/proc/self/fd"); err == nil { // by which it gets a name
		if fd, err := open(dir, unix.O_WRONLY|unix.O_TMPFILE); err == nil {
			return fd, nil
		} // EOPNOTSUPP, EISDIR, EINVAL: the filesystem or the kernel has none; else the next call tells
	}
	for {
		name := r.newName()
		fd, err := open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
		if err == nil {
			r.temporary = name
			o.replacements.add(name)
		}
		if err != unix.EEXIST {
			return fd, err
		}
	}
}

func (r *replacement) newName() string {
	return filepath.Join(filepath.Dir(r.path), fmt.Sprintf(".zpipe-%016x", rand.Uint64()))
}

// commit closes a file that is complete and gives it its name. The error is also
// EEXIST for one that must not replace another.
func (o *Opener) commit(fd int, r *replacement) error {
	if r.temporary == "" {
		self := "/proc/self/fd/" + strconv.Itoa(fd)
		err := error(unix.EEXIST)
		for err == unix.EEXIST {
			name := r.newName()
			if r.excl {
				name = r.path
			}
			if err = unix.Linkat(unix.AT_FDCWD, self, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW); err == nil && !r.excl {
				r.temporary = name
				o.replacements.add(name)
			}
			if r.excl {
				break
			}
		}
		if err != nil {
			_ = o.close(fd)
			return err
		}
	}
	err := o.close(fd)
	if r.temporary == "" {
		return err
	}
	if err == nil && r.excl {
		err = unix.Link(r.temporary, r.path) // which replaces nothing
	} else if err == nil {
		err = unix.Rename(r.temporary, r.path)
	}
	if err != nil || r.excl {
		_ = unix.Unlink(r.temporary)
	}
	o.replacements.drop(r.temporary)
	return err
}

// discard removes a file that is not complete, and is closed.
func (o *Opener) discard(r *replacement) {
	if r.temporary != "" {
		_ = unix.Unlink(r.temporary)
		o.replacements.drop(r.temporary)
	}
}

// Atomic reports whether the sink's file appears only when it is complete.
func (e Endpoint) Atomic() bool { return e.options.atomic }
