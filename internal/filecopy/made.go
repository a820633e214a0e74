package filecopy

import (
	"bytes"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A ledger is what must be known of sources that go, and of what took their
// places: a file that comes later may get the number of one that is gone. A nil
// ledger knows nothing: sources stay.
type ledger struct {
	made      place.Identities           // but for what is in directories that were renamed
	trees     bool                       // there are such directories
	originals map[place.FileID]*original // sources with several names
}

// rememberNamed remembers the file that has a name.
func (l *ledger) rememberNamed(p place.Place) {
	if l == nil {
		return
	}
	if id, err := place.Identify(p); err == nil {
		l.made.Add(id)
	}
}

// rememberOpen remembers an open file.
func (l *ledger) rememberOpen(fd int) {
	if l == nil {
		return
	}
	if id, err := place.IdentifyOpen(fd); err == nil {
		l.made.Add(id)
	}
}

// know finds out the identity of a source, which is open if fd is not -1. What
// goes wrong stat(2) says next.
func (l *ledger) know(e *entry, fd int) {
	switch {
	case l == nil:
	case fd >= 0:
		e.id, _ = place.IdentifyOpen(fd)
	default:
		e.id, _ = place.Identify(e.src)
	}
}

// rememberRenamed remembers a source that was renamed. Of a directory it is
// enough to know it: see withinMoved.
func (l *ledger) rememberRenamed(e *entry) {
	l.rememberNamed(e.dst)
	l.trees = l.trees || e.is(unix.S_IFDIR)
}

// madeHere reports whether what has a name was made, moved or linked by this
// move. What the filesystem calls by the same number may be another file by now;
// where it does not say when that was born, it counts as the same.
func (w *worker) madeHere(p place.Place) bool {
	if w.ledger == nil {
		return false
	}
	id, err := place.Identify(p)
	return err == nil && w.ledger.made.Has(id)
}

// overMoved reports whether a source would be moved over, or into, what was
// moved before: that may be the only copy. Two sources may have the same name,
// and two names in the destination may lead to one place. Numbered backups keep
// what they replace.
func (c *Copier) overMoved(e *entry) bool {
	if c.ledger == nil || c.options.Backup.Control == Numbered || c.options.Update >= UpdateNone {
		return false
	}
	if _, known := c.ledger.made.Born(place.IDOf(e.found)); !known {
		return false
	}
	flags := unix.AT_SYMLINK_NOFOLLOW
	if e.is(unix.S_IFDIR) && c.options.KeepDirectoryLinks {
		flags = 0
	}
	id, err := place.Statx(e.dst.FD(), e.dst.Name, flags)
	return err != nil || c.ledger.made.Has(id)
}

// collided says of a file that could not be made in a directory made by this
// copy, since it is there: the filesystem takes its name for that of another one
// that was moved.
func (w *worker) collided(e *entry, p *Problem) *Problem {
	if p.Err == unix.EEXIST && e.dst.Fresh() && w.madeHere(e.dst) {
		return &Problem{What: OverJustCreated, Source: e.src.Path(), Dest: e.dst.Path()}
	}
	return p
}

// withinMoved reports whether a directory is in one that was renamed with all
// that is in it. Only a symbolic link leads there: any other way is through the
// directory that was renamed.
func (c *Copier) withinMoved(d *place.Directory) bool {
	if c.ledger == nil || !c.ledger.trees || !d.Follow {
		return false
	}
	at, err := place.OpenAs(place.In(d, "."), unix.O_PATH|unix.O_DIRECTORY, new(unix.Stat_t))
	for err == nil {
		if _, known := c.ledger.made.Born(at.ID); known {
			at.Close()
			return true
		}
		var up *place.Directory
		up, err = place.OpenAs(place.In(at, ".."), unix.O_PATH|unix.O_DIRECTORY, new(unix.Stat_t))
		at.Close()
		if err == nil && up.ID == at.ID { // the root
			up.Close()
			return false
		}
		at = up
	}
	return true // nobody knows
}

// An original is a source with several names, which is moved name by name. By
// the time of its last name, another file may have its inode number.
type original struct {
	place.Identity
	stat    unix.Stat_t   // when it was copied
	changed unix.Timespec // its state, when this move removed a name; 0 if that is not known
}

// knows reports whether the source is another name of a file that was moved
// already, which has cost it that name, or is likely to be.
func (l *ledger) knows(e *entry) bool {
	return l != nil && l.originals[place.IDOf(&e.stat)] != nil
}

// rememberNames notes that other names of a source may come.
func (c *Copier) rememberNames(e *entry) {
	if c.ledger == nil {
		return
	}
	e.several = &original{Identity: e.id, stat: e.stat}
	if c.ledger.originals == nil {
		c.ledger.originals = map[place.FileID]*original{}
	}
	c.ledger.originals[place.IDOf(&e.stat)] = e.several
}

// removed notes that a name of the file, which is open if fd is no -1, is gone.
func (o *original) removed(fd int) {
	var st unix.Stat_t
	o.changed = unix.Timespec{}
	if fd < 0 {
		return
	}
	if _, err := place.IdentifyOpen(fd); err == nil && place.Fstat(fd, &st) == nil {
		o.changed = st.Ctim
	}
}

// isFurtherName reports whether the source is the file that first is a copy of.
// The inode number says so where nothing is removed meanwhile. If it is not
// certain, they are compared.
func (c *Copier) isFurtherName(e *entry, first place.Place) bool {
	if c.ledger == nil {
		return true
	}
	o := c.ledger.originals[place.IDOf(&e.stat)]
	if o == nil || !e.id.Maybe(o.Identity) || !sameState(&o.stat, &e.stat) {
		return false
	}
	e.several = o
	if e.id == o.Identity && e.id.Born != 0 && o.changed == e.stat.Ctim {
		return true
	}
	c.settle()
	leave, err := first.Reach()
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
func (c *Copier) isCopy(e *entry, first place.Place) bool {
	switch {
	case e.is(unix.S_IFLNK):
		source, err := place.Readlink(e.src, e.stat.Size)
		copied, copiedErr := place.Readlink(first, e.stat.Size)
		return err == nil && copiedErr == nil && source == copied
	case !e.is(unix.S_IFREG):
		return true // all that it is was compared
	}
	src, p := c.openSource(e)
	if p != nil {
		return false
	}
	fd, err := place.Open(first, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
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
		n, err := place.Pread(one, a, at)
		m, otherErr := place.Pread(other, b, at)
		if err != nil || otherErr != nil || !bytes.Equal(a[:n], b[:m]) {
			return false
		}
		if n < sample {
			return true
		}
	}
}
