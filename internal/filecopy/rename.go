package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// rename moves a source by its name alone, with all that is in it, or reports
// that it crosses a boundary between filesystems.
func (c *Copier) rename(e *entry) (crosses bool, p *Problem) {
	if e.isFound() {
		return false, c.removeName(e) // rename(2) would do nothing
	}
	if p := c.syncSource(e); p != nil {
		return false, p
	}
	give := place.RenameNew
	if e.found != nil {
		give = place.Rename
	}
	err := give(e.src, e.dst)
	switch {
	case err == nil:
		c.ledger.rememberRenamed(e)
		c.renamed(e)
		return false, nil
	case err == unix.EXDEV:
		return true, nil
	case err == unix.EINVAL && e.is(unix.S_IFDIR):
		return false, &Problem{What: MoveIntoItself, Source: e.src.Path(), Dest: e.dst.Path()}
	}
	return false, &Problem{What: Move, Source: e.src.Path(), Dest: e.dst.Path(), Err: err}
}

func (w *worker) renamed(e *entry) {
	e.gone, e.placed = true, true
	if e.is(unix.S_IFREG) {
		w.gauge.completed.files.Add(1)
		w.gauge.completed.bytes.Add(e.stat.Size)
	}
	if w.details() {
		w.tell(Renamed{e.src.Path(), e.dst.Path(), e.backupPath()})
	}
}

// removeName removes a source that is another name of what is at the
// destination. A backup of that, which is a name of the source too, has changed
// the time of its last change of state.
func (c *Copier) removeName(e *entry) *Problem {
	var now unix.Stat_t
	if err := place.Stat(e.src, &now, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &Problem{What: RemoveSource, Source: e.src.Path(), Err: err}
	}
	if place.IDOf(&now) != place.IDOf(&e.stat) {
		return &Problem{What: SourceChanged, Source: e.src.Path()}
	}
	p := c.removeSource(e, &now)
	if p == nil {
		c.ledger.rememberNamed(e.dst)
	}
	return p
}

// syncSource has a source on disk that is to be renamed, if that is wanted: after
// a loss of power its new name would otherwise lead to an empty file. A directory
// is written back with all else on its filesystem.
func (c *Copier) syncSource(e *entry) *Problem {
	regular := e.is(unix.S_IFREG)
	if !c.options.Fsync || !regular && !e.is(unix.S_IFDIR) {
		return nil
	}
	sync, at, flags := unix.Syncfs, e.src, place.DirectoryFlags
	if regular {
		sync, flags = unix.Fsync, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK
	}
	fd, err := place.Open(at, flags, 0)
	if err == unix.EACCES { // to rename it, it need not be readable
		sync = unix.Syncfs
		fd, err = place.Open(at.Sibling("."), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	}
	if err == unix.EACCES {
		unix.Sync()
		return nil
	}
	if err == nil {
		err = place.Retry(func() error { return sync(fd) })
		unix.Close(fd)
	}
	if err != nil {
		return &Problem{What: Sync, Dest: e.src.Path(), Err: err}
	}
	return nil
}

// syncNames has on disk what became of a source's name and its copy's.
func (c *Copier) syncNames(e *entry) {
	p := syncDirectory(e.dst)
	if p == nil && c.mover != nil {
		p = syncDirectory(e.src)
	}
	if p != nil {
		c.report(p)
	}
}
