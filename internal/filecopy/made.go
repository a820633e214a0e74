package filecopy

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// rememberNamed remembers the file that has a name.
func (m *mover) rememberNamed(p place) {
	if m == nil {
		return
	}
	if id, err := identify(p); err == nil {
		m.made.add(id)
	}
}

// rememberOpen remembers an open file.
func (m *mover) rememberOpen(fd int) {
	if m == nil {
		return
	}
	if id, err := identifyOpen(fd); err == nil {
		m.made.add(id)
	}
}

// know finds out the identity of a source, which is open if fd is not -1. What
// goes wrong stat(2) says next.
func (m *mover) know(e *entry, fd int) {
	switch {
	case m == nil:
	case fd >= 0:
		e.id, _ = identifyOpen(fd)
	default:
		e.id, _ = identify(e.src)
	}
}

// rememberRenamed remembers a source that was renamed. Of a directory it is
// enough to know it: see withinMoved.
func (m *mover) rememberRenamed(e *entry) {
	m.rememberNamed(e.dst)
	m.trees = m.trees || e.is(unix.S_IFDIR)
}

// madeHere reports whether what has a name was made, moved or linked by this
// move. What the filesystem calls by the same number may be another file by now;
// where it does not say when that was born, it counts as the same.
func (w *worker) madeHere(p place) bool {
	if w.mover == nil {
		return false
	}
	id, err := identify(p)
	return err == nil && w.mover.has(id)
}

func (m *mover) has(id identity) bool {
	born, known := m.made.born(id.fileID)
	return known && id.maybe(identity{id.fileID, born})
}

// overMoved reports whether a source would be moved over, or into, what was
// moved before: that may be the only copy. Two sources may have the same name,
// and two names in the destination may lead to one place. Numbered backups keep
// what they replace.
func (c *Copier) overMoved(e *entry) bool {
	if c.mover == nil || c.options.Backup.Control == Numbered || c.options.Update >= UpdateNone {
		return false
	}
	if _, known := c.mover.made.born(idOf(e.found)); !known {
		return false
	}
	flags := unix.AT_SYMLINK_NOFOLLOW
	if e.is(unix.S_IFDIR) && c.options.KeepDirectoryLinks {
		flags = 0
	}
	id, err := statx(e.dst.fd(), e.dst.name, flags)
	return err != nil || c.mover.has(id)
}

// collided says of a file that could not be made in a directory made by this
// copy, since it is there: the filesystem takes its name for that of another one
// that was moved.
func (w *worker) collided(e *entry, p *Problem) *Problem {
	if p.Err == unix.EEXIST && e.dst.fresh() && w.madeHere(e.dst) {
		return &Problem{What: OverJustCreated, Source: e.src.path(), Dest: e.dst.path()}
	}
	return p
}

// withinMoved reports whether a directory is in one that was renamed with all
// that is in it. Only a symbolic link leads there: any other way is through the
// directory that was renamed.
func (c *Copier) withinMoved(d *directory) bool {
	if c.mover == nil || !c.mover.trees || !d.follow {
		return false
	}
	at, err := open(place{d, "."}, unix.O_PATH|unix.O_DIRECTORY, new(unix.Stat_t))
	for err == nil {
		if _, known := c.mover.made.born(at.id); known {
			at.close()
			return true
		}
		var up *directory
		up, err = open(place{at, ".."}, unix.O_PATH|unix.O_DIRECTORY, new(unix.Stat_t))
		at.close()
		if err == nil && up.id == at.id { // the root
			up.close()
			return false
		}
		at = up
	}
	return true // nobody knows
}

// An original is a source with several names, which is moved name by name. By
// the time of its last name, another file may have its inode number.
type original struct {
	identity
	stat    unix.Stat_t   // when it was copied
	changed unix.Timespec // its state, when this move removed a name; 0 if that is not known
}

// knows reports whether the source is another name of a file that was moved
// already, which has cost it that name, or is likely to be.
func (m *mover) knows(e *entry) bool {
	return m != nil && m.originals[idOf(&e.stat)] != nil
}

// rememberNames notes that other names of a source may come.
func (c *Copier) rememberNames(e *entry) {
	if c.mover == nil {
		return
	}
	e.several = &original{identity: e.id, stat: e.stat}
	if c.mover.originals == nil {
		c.mover.originals = map[fileID]*original{}
	}
	c.mover.originals[idOf(&e.stat)] = e.several
}

// removed notes that a name of the file, which is open if fd is no -1, is gone.
func (o *original) removed(fd int) {
	var st unix.Stat_t
	o.changed = unix.Timespec{}
	if fd < 0 {
		return
	}
	if _, err := identifyOpen(fd); err == nil && fstat(fd, &st) == nil {
		o.changed = st.Ctim
	}
}

// isFurtherName reports whether the source is the file that first is a copy of.
// The inode number says so where nothing is removed meanwhile. If it is not
// certain, they are compared.
func (c *Copier) isFurtherName(e *entry, first place) bool {
	if c.mover == nil {
		return true
	}
	o := c.mover.originals[idOf(&e.stat)]
	if o == nil || !e.id.maybe(o.identity) || !sameState(&o.stat, &e.stat) {
		return false
	}
	e.several = o
	if e.id == o.identity && e.id.born != 0 && o.changed == e.stat.Ctim {
		return true
	}
	c.settle()
	leave, err := first.reach()
	if err != nil {
		return false
	}
	defer leave()
	return c.isCopy(e, first)
}

// sameState compares all but the times that removing another name changes.
func sameState(a, b *unix.Stat_t) bool {
	return a.Mode == b.Mode && a.Uid == b.Uid && a.Gid == b.Gid && a.Rdev == b.Rdev && a.Size == b.Size && a.Mtim == b.Mtim
}

// isCopy compares the contents of the source with those of a file that was
// copied from it, or from another file.
func (c *Copier) isCopy(e *entry, first place) bool {
	switch {
	case e.is(unix.S_IFLNK):
		source, err := readlinkat(e.src, e.stat.Size)
		copied, copiedErr := readlinkat(first, e.stat.Size)
		return err == nil && copiedErr == nil && source == copied
	case !e.is(unix.S_IFREG):
		return true // all that it is was compared
	}
	src, p := c.openSource(e)
	if p != nil {
		return false
	}
	fd, err := openat(first, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return sameContents(src.fd, fd)
}

// sameContents compares two files to their ends.
func sameContents(one, other int) bool {
	a, b := make([]byte, sample), make([]byte, sample)
	for at := int64(0); ; at += sample {
		n, err := pread(one, a, at)
		m, otherErr := pread(other, b, at)
		if err != nil || otherErr != nil || !bytes.Equal(a[:n], b[:m]) {
			return false
		}
		if n < sample {
			return true
		}
	}
}
