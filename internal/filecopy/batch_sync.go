package filecopy

import (
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// mostPatience is how long syncfs(2), which writes also what others have written,
// may take before files are synced one by one.
const mostPatience = 2 * time.Second

// syncAll syncs the filesystem. The error does not say which file it is about.
func (b *batch) syncAll() error {
	began := time.Now()
	err := place.Retry(func() error { return unix.Syncfs(b.fd) })
	if time.Since(began) > mostPatience {
		b.setWhole(false)
	}
	return err
}

func (b *batch) setWhole(whole bool) {
	b.mu.Lock()
	b.whole = whole
	b.mu.Unlock()
}

// byOne reports whether everything is synced by itself.
func (b *batch) byOne() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.whole
}

// syncData has the data and attributes of files on disk. Of which that is not so,
// their problems say.
func (b *batch) syncData(items []item) {
	if !b.byOne() && b.syncAll() == nil {
		return
	}
	for _, it := range items {
		if it.dst != nil {
			// An error is reported by fsync(2), too.
			_ = place.Retry(func() error { return unix.SyncFileRange(it.dst.fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE) })
		}
	}
	for i := range items {
		it := &items[i]
		if it.dst == nil {
			continue
		}
		it.problem = it.dst.sync()
		if it.problem != nil && it.dst.staging == nil {
			it.dst.distrust()
		}
	}
}

// syncNames has the names of files, and of directories that are finished, on disk.
func (b *batch) syncNames(w *worker, items []item, left []*filling) {
	if !b.byOne() && b.syncAll() == nil {
		return
	}
	synced := map[*place.Directory]*Problem{}
	in := func(d *place.Directory) *Problem {
		p, known := synced[d]
		if !known {
			if p = syncOpen(d); p == nil {
				p = b.ensure(d)
			}
			synced[d] = p
		}
		return p
	}
	for i := range items {
		it := &items[i]
		if p := in(it.entry.dst.Dir); it.problem == nil {
			it.problem = p
		}
	}
	for _, f := range left {
		if p := in(f.made.dir); f.problem == nil {
			f.problem = p
		}
	}
}

// ensure has the name of a directory that was made by this copy on disk, and
// those of the directories above it that were, too.
func (b *batch) ensure(d *place.Directory) *Problem {
	var done []place.FileID
	for ; d != nil && d.Fresh && !b.isNamed(d.ID); d = d.At.Dir {
		leave, err := d.At.Reach()
		if err != nil {
			return &Problem{What: Sync, Dest: d.At.Path(), Err: err}
		}
		p := syncDirectory(d.At)
		leave()
		if p != nil {
			return p
		}
		done = append(done, d.ID)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.named == nil {
		b.named = map[place.FileID]struct{}{}
	}
	for _, id := range done {
		b.named[id] = struct{}{}
	}
	return nil
}

// isNamed reports whether the name of a directory is on disk, and those of all
// above it.
func (b *batch) isNamed(id place.FileID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.named[id]
	return known
}

// syncName has the name of a file on disk that is in no batch, and those of the
// directories that it is in.
func (w *worker) syncName(p place.Place) *Problem {
	if problem := syncDirectory(p); problem != nil || w.batch == nil {
		return problem
	}
	return w.batch.ensure(p.Dir)
}
