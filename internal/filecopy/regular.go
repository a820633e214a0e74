package filecopy

import (
	"strings"

	"golang.org/x/sys/unix"
)

// A file is one that is open, and what fstat(2) says of it.
type file struct {
	fd    int
	at    place
	flags int // that it was opened with
	stat  unix.Stat_t
	fresh bool // it was made just now: fd is nobody else's
}

// regular reports whether the file is one on a filesystem.
func (f *file) regular() bool { return isKind(&f.stat, unix.S_IFREG) }

// copyRegular copies a file by its contents.
func (c *Copier) copyRegular(e *entry) *Problem {
	src, p := c.openSource(e)
	if p != nil {
		return p
	}
	dst, p := c.openDest(e, src)
	if p != nil {
		return p
	}
	p = c.fill(dst, src)
	if p == nil {
		p = c.finishRegular(e, dst, src)
	}
	if err := unix.Close(dst.fd); err != nil && err != unix.EINTR {
		c.report(&Problem{What: Close, Dest: e.dst.path(), Err: err})
	}
	return p
}

// openSource opens the source, unless look has done so.
func (c *Copier) openSource(e *entry) (*file, *Problem) {
	src := &file{fd: e.fd, at: e.src, flags: unix.O_RDONLY, stat: e.stat}
	if e.fd >= 0 {
		return src, nil
	}
	flags := unix.O_RDONLY
	if c.options.Links == CopyLinks {
		flags |= unix.O_NOFOLLOW
	}
	var err error
	if e.fd, err = openat(e.src, flags, 0); err != nil {
		return nil, &Problem{What: OpenSource, Source: e.src.path(), Err: err}
	}
	src.fd = e.fd
	if err := fstat(e.fd, &src.stat); err != nil {
		return nil, &Problem{What: StatSource, Source: e.src.path(), Err: err}
	}
	if idOf(&src.stat) != idOf(&e.stat) {
		return nil, &Problem{What: Replaced, Source: e.src.path()}
	}
	return src, nil
}

// openDest opens the destination for writing: empty, and not the source.
func (c *Copier) openDest(e *entry, src *file) (*file, *Problem) {
	dst, p := c.openExisting(e)
	if dst == nil && p == nil {
		dst, p = c.create(e)
	}
	if p != nil {
		return nil, p
	}
	p = c.unsuited(dst, src)
	if p == nil && !dst.fresh {
		p = c.empty(dst, src)
	}
	if p != nil {
		unix.Close(dst.fd)
		if dst.fresh {
			unix.Unlinkat(e.dst.fd(), e.dst.name, 0)
		}
		return nil, p
	}
	return dst, nil
}

// openExisting returns nil if there is nothing to open.
func (c *Copier) openExisting(e *entry) (*file, *Problem) {
	if e.missing || e.found == nil && e.dst.dir != nil && e.dst.dir.fresh {
		return nil, nil
	}
	dst := &file{at: e.dst, flags: unix.O_WRONLY}
	var err error
	dst.fd, err = openat(e.dst, dst.flags, 0)
	switch {
	case err == nil:
	case err == unix.ENOENT:
		return nil, nil
	case c.options.Existing == Force:
		return c.replaceRegular(e)
	default:
		return nil, &Problem{What: CreateFile, Dest: e.dst.path(), Err: err}
	}
	if err := fstat(dst.fd, &dst.stat); err != nil {
		unix.Close(dst.fd)
		return nil, &Problem{What: StatDest, Dest: e.dst.path(), Err: err}
	}
	return dst, nil
}

const createFlags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL

// create makes the destination.
func (c *Copier) create(e *entry) (*file, *Problem) {
	flags := createFlags
	fd, err := openat(e.dst, flags, c.createMode(e))
	if err == unix.EEXIST && isLink(e.dst) {
		if !c.options.Dangling {
			return nil, &Problem{What: ThroughDanglingLink, Dest: e.dst.path()}
		}
		flags &^= unix.O_EXCL
		fd, err = openat(e.dst, flags, c.createMode(e))
	}
	if err == unix.EISDIR && strings.HasSuffix(e.dst.name, "/") {
		err = unix.ENOTDIR // what the user takes for a directory is none
	}
	if err != nil {
		return nil, &Problem{What: CreateFile, Dest: e.dst.path(), Err: err}
	}
	return c.created(e, fd, flags)
}

// createMode are the permissions that a regular file is made with.
func (c *Copier) createMode(e *entry) uint32 {
	return e.stat.Mode & permissions &^ c.omitted(0)
}

// created describes a new file. If it is in a directory that was looked at, that
// takes no call.
func (c *Copier) created(e *entry, fd, flags int) (*file, *Problem) {
	dst := &file{fd: fd, at: e.dst, flags: unix.O_WRONLY, fresh: true}
	inside := e.dst.dir != nil && flags&unix.O_EXCL != 0
	if inside && !c.options.Preserve.has(Ownership) {
		dst.stat = unix.Stat_t{Dev: e.dst.dir.id.dev, Mode: unix.S_IFREG}
		return dst, nil
	}
	if err := fstat(fd, &dst.stat); err != nil {
		unix.Close(fd)
		return nil, &Problem{What: StatDest, Dest: e.dst.path(), Err: err}
	}
	return dst, nil
}

// empty cuts an existing file to nothing, once it is sure that this is not the
// source. While it is filled it has none of the permissions that it is to
// lose. A file that is to share the source's blocks is not touched before that
// has worked.
func (c *Copier) empty(dst, src *file) *Problem {
	if !dst.regular() {
		return nil
	}
	if idOf(&dst.stat) == idOf(&src.stat) {
		return &Problem{What: SameFile, Source: src.at.path(), Dest: dst.at.path()}
	}
	if c.options.Data.Reflink == ReflinkAlways {
		return nil
	}
	if excess := dst.stat.Mode & permissions &^ src.stat.Mode; excess != 0 && c.options.Preserve.has(Mode) {
		unix.Fchmod(dst.fd, dst.stat.Mode&(permissions|setID)&^excess) // if not ours, preserving the mode says so
	}
	if err := ftruncate(dst.fd, 0); err != nil {
		return &Problem{What: CreateFile, Dest: dst.at.path(), Err: err}
	}
	dst.stat.Size, dst.stat.Blocks = 0, 0
	return nil
}

// finishRegular gives a file with its contents its attributes.
func (c *Copier) finishRegular(e *entry, dst, src *file) *Problem {
	p := c.keep(&keeping{
		from: handle{src.fd, src.at}, to: handle{dst.fd, dst.at},
		source: &e.stat, was: &dst.stat, fresh: dst.fresh,
	})
	omitted := e.stat.Mode & permissions & c.omitted(0) &^ c.umask
	if p != nil || omitted == 0 || c.options.Preserve.has(Mode) || !dst.fresh {
		return p
	}
	if err := unix.Fchmod(dst.fd, e.stat.Mode&permissions&^c.umask); err != nil {
		return &Problem{What: PreservePermissions, Dest: dst.at.path(), Err: err}
	}
	return nil
}
