package filecopy

import (
	"cmp"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// skips reports whether what was found is not to be replaced. A directory never
// is, but filled.
func (c *Copier) skips(e *entry) (skip bool, p *Problem) {
	if e.is(unix.S_IFDIR) {
		return false, nil
	}
	if c.options.Update == UpdateOlder && c.upToDate(e) {
		if begun, p := c.begun(e); !begun || p != nil {
			return true, cmp.Or(p, c.leave(e))
		}
	}
	switch {
	case c.options.Update == UpdateNone:
		return true, nil
	case c.options.Update == UpdateNoneFail:
		return true, &Problem{What: NotReplaced, Dest: e.dst.Path()}
	case c.options.Ask && !c.confirmed(e):
		return true, &Problem{What: Declined, Dest: e.dst.Path()}
	}
	return false, nil
}

// leave lets be what was found. What other names of the source become are names
// of it; it does not become one itself if it is newer than the source, and so
// no copy. (GNU cp replaces it.)
func (c *Copier) leave(e *entry) *Problem {
	if _, again := c.memory.copies[place.IDOf(&e.stat)]; again && e.found.Mtim.Nano() > e.stat.Mtim.Nano() {
		return nil
	}
	_, p := c.copyName(e)
	return p
}

// upToDate reports whether what was found is not older than the source.
func (c *Copier) upToDate(e *entry) bool {
	source, dest := e.stat.Mtim, e.found.Mtim
	if c.options.Preserve.has(Timestamps) {
		source = truncated(source, resolution(e.dst, e.found))
	}
	return dest.Nano() >= source.Nano()
}

// resolution is that of the times that a filesystem keeps, in nanoseconds, as
// far as the times of a file show: the kernel sets the time of the last change
// of state to all digits that are kept.
func resolution(p place.Place, st *unix.Stat_t) int64 {
	step := int64(1)
	for step < 1e9 && int64(st.Mtim.Nsec)%(step*10) == 0 && int64(st.Ctim.Nsec)%(step*10) == 0 {
		step *= 10
	}
	if step == 1e9 && onFAT(p) {
		step *= 2
	}
	return step
}

func onFAT(p place.Place) bool {
	fd, err := place.Open(p.Sibling("."), unix.O_PATH, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	return unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.MSDOS_SUPER_MAGIC
}

// truncated is a time as a filesystem of that resolution keeps it.
func truncated(t unix.Timespec, resolution int64) unix.Timespec {
	ns := t.Nano()
	return unix.NsecToTimespec(ns - ((ns%resolution)+resolution)%resolution)
}

// confirmed asks the user, after all else is told.
func (c *Copier) confirmed(e *entry) bool {
	c.settle()
	return c.journal.listener.Confirm(&Overwrite{
		Dest: e.dst.Path(), Mode: e.found.Mode, Writable: c.mayWrite(e),
	})
}

func (c *Copier) mayWrite(e *entry) bool {
	return c.privileged || place.IsKind(e.found, unix.S_IFLNK) ||
		place.Access(e.dst, unix.W_OK, unix.AT_EACCESS) == nil
}
