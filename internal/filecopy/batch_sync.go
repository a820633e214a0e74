package filecopy

import (
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// syncfs(2) syncs all that is written to a filesystem, by others, too. Of a
// write-back error it tells each descriptor once, and not which file it is about.
// So after the first error everything is synced by itself: the error may be about
// a file that comes to a later batch. The same holds after syncfs(2) took long, and
// where it does not tell of every error.
//
// A file is synced by itself through the descriptor that it was written by. Only
// that one is sure to hear of its errors: what could not be written is clean in the
// page cache, and a later fsync(2) by another descriptor says 0.

// mostPatience is how long syncfs(2) may take.
const mostPatience = 2 * time.Second

// syncAll syncs the filesystem and reports whether that was all to be done.
func (b *batch) syncAll() bool {
	b.mu.Lock()
	use := b.whole && !b.single
	b.mu.Unlock()
	if !use {
		return false
	}
	began := time.Now()
	err := place.Retry(func() error { return unix.Syncfs(b.fd) })
	if err != nil || time.Since(began) > mostPatience {
		b.syncSingly()
	}
	return err == nil
}

// syncSingly has everything synced by itself from now on.
func (b *batch) syncSingly() {
	b.mu.Lock()
	b.single = true
	b.mu.Unlock()
}

// syncData has the data and attributes of files on disk. Those of which that is not
// so get a problem.
func (b *batch) syncData(items []item) {
	for i := range items {
		if it := &items[i]; it.dst != nil {
			it.problem = b.beginWriteBack(it.dst)
		}
	}
	all := b.syncAll()
	for i := range items {
		it := &items[i]
		if it.dst == nil {
			continue
		}
		if !all && it.problem == nil {
			it.problem = it.dst.sync()
		}
		if it.problem != nil && it.dst.staging == nil {
			it.dst.distrust()
		}
	}
}

// beginWriteBack has the kernel choose the blocks of a file and begin to write. If
// there are none, ext4 tells only who has asked for that: syncfs(2) would say 0.
func (b *batch) beginWriteBack(f *file) *Problem {
	err := place.Retry(func() error { return unix.SyncFileRange(f.fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE) })
	switch err {
	case nil:
		return nil
	case unix.ENOSYS, unix.EPERM, unix.EINVAL, unix.EOPNOTSUPP, unix.ESPIPE: // there is no such call
		b.syncSingly()
		return nil
	}
	return &Problem{What: Sync, Dest: f.at.Path(), Err: err}
}

// syncNames has the names of files, and directories that are finished, on disk.
func (b *batch) syncNames(items []item, left []*filling) {
	// fsync(2) tells of a broken journal, which syncfs(2) before Linux 5.17 does not,
	// and some filesystems leave it to fsync(2) to empty the cache of the disk.
	if b.syncAll() && fsyncDirectory(b.fd) == nil {
		return
	}
	synced := map[*place.Directory]*Problem{}
	in := func(d *place.Directory) *Problem {
		p, known := synced[d]
		if !known {
			if p = syncOpen(d); p == nil {
				p = ensure(d)
			}
			synced[d] = p
		}
		return p
	}
	for i := range items {
		it := &items[i]
		if it.problem == nil && it.dst != nil && it.dst.staging != nil {
			it.problem = it.dst.sync() // its inode counts names
		}
		if it.problem == nil {
			it.problem = in(it.entry.dst.Dir)
		}
	}
	for _, f := range left {
		if f.lost() {
			continue
		}
		if p := in(f.made.dir); f.problem == nil {
			f.problem = p
		}
	}
}

// ensure has the name of a directory that was made by this copy on disk, and the
// names of the directories above it that were made, too.
func ensure(d *place.Directory) *Problem {
	var done []*place.Directory
	for ; d != nil && d.Fresh && !d.Named.Load(); d = d.At.Dir {
		if p := syncDirectory(d.At); p != nil {
			return p
		}
		done = append(done, d)
	}
	for _, d := range done {
		d.Named.Store(true)
	}
	return nil
}

// syncName has the name of a file on disk that is in no batch, and the names of the
// directories that it is in.
func (w *worker) syncName(p place.Place) *Problem {
	if problem := syncDirectory(p); problem != nil || w.batch == nil {
		return problem
	}
	return ensure(p.Dir)
}

// nameNow reports whether the name of a new directory has to be on disk before
// anything is put into it. The batch syncs the names of directories that are open,
// with what is in them: not of those on the way to what the user named, which may
// stay without any, and not of those so deep in the tree that the ones above them
// are parked.
func (c *Copier) nameNow(e *entry, made *place.Directory) bool {
	switch {
	case c.mover != nil && (!c.batch.holds(made) || e.role == onTheWay):
		return true
	case c.batch == nil:
		return false
	}
	return c.kept > 0 && len(c.levels) >= c.kept
}
