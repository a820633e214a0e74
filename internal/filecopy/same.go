package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// distinct reports whether the source may be copied to what was found, as far
// as they could be the same file. done says that the copy is there already: one
// file has both names.
func (c *Copier) distinct(e *entry) (fine, done bool) {
	same := place.IDOf(&e.stat) == place.IDOf(e.found)
	if same && c.mover != nil && e.is(unix.S_IFLNK) && c.options.Backup.none() {
		return false, false // rename(2) would do nothing
	}
	if same && c.options.Make == HardLinks {
		return true, true
	}
	if c.follows(e) {
		return !same || c.distinctNames(e), false
	}
	if e.is(unix.S_IFLNK) && place.IsKind(e.found, unix.S_IFLNK) {
		one := place.SameName(e.src, e.dst)
		return !one, !one && same && c.options.Backup.none()
	}
	return c.apart(e, &e.stat, e.found)
}

// distinctNames reports whether two names of one file, at least one of them
// perhaps a symbolic link, may be copied to each other.
func (c *Copier) distinctNames(e *entry) bool {
	var source, dest unix.Stat_t
	if place.Stat(e.dst, &dest, unix.AT_SYMLINK_NOFOLLOW) != nil || place.Stat(e.src, &source, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return true
	}
	if place.IsKind(&source, unix.S_IFLNK) && place.IsKind(&dest, unix.S_IFLNK) && c.options.Existing.has(Replace) {
		return true
	}
	fine, _ := c.apart(e, &source, &dest)
	return fine
}

// apart decides by what the names themselves are.
func (c *Copier) apart(e *entry, source, dest *unix.Stat_t) (fine, done bool) {
	sourceLink, destLink := place.IsKind(source, unix.S_IFLNK), place.IsKind(dest, unix.S_IFLNK)
	same := place.IDOf(source) == place.IDOf(dest)
	switch {
	case !c.options.Backup.none() && same:
		return !place.SameName(e.src, e.dst), false
	case !c.options.Backup.none(): // the backup would be what the source leads to
		return !c.follows(e) || !sourceLink || destLink, false
	case c.options.Existing.has(Replace) && destLink:
		return true, false
	case c.options.Existing.has(Replace) && same && dest.Nlink > 1 && !place.SameName(e.src, e.dst):
		return true, false // of two hard links only one goes
	case !sourceLink && !destLink:
		return !same, false
	case c.options.Make == SymbolicLinks && destLink:
		return true, false
	case c.follows(e):
		return false, false
	}
	return c.leadApart(e, source, dest)
}

// leadApart decides on a symbolic link and another file, which it may lead to.
func (c *Copier) leadApart(e *entry, source, dest *unix.Stat_t) (fine, done bool) {
	from, to := *source, *dest
	destLink := place.IsKind(dest, unix.S_IFLNK)
	if place.IsKind(source, unix.S_IFLNK) && place.Stat(e.src, &from, 0) != nil {
		return true, false
	}
	if destLink && place.Stat(e.dst, &to, 0) != nil {
		return true, false
	}
	if place.IDOf(&from) != place.IDOf(&to) {
		return true, false
	}
	return c.options.Make == HardLinks, c.options.Make == HardLinks && !destLink
}
