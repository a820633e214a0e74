package filecopy

import (
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A batch is files that are copied and not yet on disk. To sync each by itself is
// slow, so they are synced together, in this order:
//
//	the data and attributes of all files
//	all files get their names, if they have none yet
//	the names, and the directories that are finished
//	where files are moved, their sources are removed
//
// A file is in a batch only if this copy has made its directory: nothing is there
// that it could replace. Files that are not regular are in a batch if they are
// moved: their sources wait for the names. A nil batch takes nothing.
//
// batch_sync.go says what is synced how.
type batch struct {
	*setting
	journal *journal
	most    int // items

	flushing sync.Mutex // held by the worker that flushes

	mu      sync.Mutex
	fd      int  // a directory on the filesystem, -1 if there is none yet
	whole   bool // syncfs(2) tells of every error of that filesystem
	single  bool // syncfs(2) was slow or has failed: everything is synced by itself
	dev     uint64
	items   []item
	bytes   int64
	left    []*filling // directories that are finished
	started int        // files that workers have, or that are in items
	pressed bool       // the walk waits
}

// An item is one file of a batch, and who is told of its end.
type item struct {
	task
	dst, src *file // nil if it is no regular file
	flight   *flight
	problem  *Problem
}

const (
	// mostItems is how many files a batch has at most. Batches of 1,000 files of 4
	// KiB take as long as cp -a, sync -f and rm -r; of 256, 1.1 times as long.
	mostItems = 1000
	// mostBytes is how much data a batch has at most, but for one file. A move needs
	// the room for it twice.
	mostBytes = 64 << 20
	// largestItem is the size in bytes from which a file is synced by itself: its
	// data takes longer than the sync.
	largestItem = 8 << 20
	// fewDescriptors are too few to keep many files open.
	fewDescriptors = 1024
)

// newBatch returns a batch if copies are to be on disk, and nil otherwise.
func newBatch(s *setting, j *journal) *batch {
	if !s.durable || s.options.Verify || s.options.Resume || s.options.AttributesOnly {
		return nil
	}
	descriptors := openFiles()
	if descriptors < fewDescriptors {
		return nil
	}
	// Two for each file, and a batch fills while another one is flushed: that is a
	// quarter.
	return &batch{setting: s, journal: j, fd: -1, most: int(min(descriptors/16, mostItems))}
}

// openPages is how much the walk may leave behind, see journal.wait: with two
// batches it does not wait for a flush.
func (b *batch) openPages() int {
	if b == nil {
		return openPages
	}
	return openPages + 2*b.most
}

// begin notes that a directory was made, before anything is written to it: a
// descriptor hears of errors since it was opened.
func (b *batch) begin(d *place.Directory) {
	if b == nil || d.PathOnly {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fd >= 0 {
		return
	}
	fd, err := unix.FcntlInt(uintptr(d.FD), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return
	}
	b.fd, b.dev, b.whole = fd, d.ID.Dev, reportsSync(fd)
}

// end closes what is open. Nothing is in the batch any more.
func (b *batch) end() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fd >= 0 {
		unix.Close(b.fd)
		b.fd = -1
	}
}

// holds reports whether files in a directory may be in the batch.
func (b *batch) holds(d *place.Directory) bool {
	if b == nil || d == nil || !d.Fresh {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fd >= 0 && d.ID.Dev == b.dev
}

// takes reports whether a complete copy comes to the batch. One with a temporary
// name does not: it gets its own at once, since others can see it.
func (b *batch) takes(e *entry, dst, src *file) bool {
	if !e.awaited || dst.home != e.dst || !src.regular() || !dst.regular() || src.stat.Size > largestItem {
		return false
	}
	return dst.staging == nil || dst.staging.temporary.Name == "" && !dst.staging.over
}

// start notes that a worker has a file that may come to the batch.
func (b *batch) start() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.started++
	b.mu.Unlock()
}

// done notes that a file does not come.
func (b *batch) done(w *worker) {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.started--
	flush := b.due()
	b.mu.Unlock()
	if flush {
		b.flush(w)
	}
}

// add takes a file. The worker that adds the last one that fits, or that the walk
// waits for, flushes the batch.
func (b *batch) add(w *worker, i item) {
	b.mu.Lock()
	b.items = append(b.items, i)
	if i.src != nil {
		b.bytes += i.src.stat.Size
	}
	flush := b.due() || len(b.items) >= b.most || b.bytes >= mostBytes
	b.mu.Unlock()
	if flush {
		b.flush(w)
	}
}

// due reports whether the walk waits, and only for the batch.
func (b *batch) due() bool {
	return b.pressed && b.started == len(b.items) && (len(b.items) > 0 || len(b.left) > 0)
}

// press has the batch flushed as soon as no worker is at work: the walk waits.
func (b *batch) press(w *worker) {
	b.mu.Lock()
	b.pressed = true
	flush := b.due()
	b.mu.Unlock()
	if flush {
		b.flush(w)
	}
}

func (b *batch) release() {
	b.mu.Lock()
	b.pressed = false
	b.mu.Unlock()
}

// leave takes a directory that is finished.
func (b *batch) leave(f *filling) {
	b.mu.Lock()
	b.left = append(b.left, f)
	b.mu.Unlock()
}

// flush empties the batch: what was in it is on disk, or reported. While the walk
// waits it goes on until nothing is left.
func (b *batch) flush(w *worker) {
	b.flushing.Lock()
	defer b.flushing.Unlock()
	for {
		b.mu.Lock()
		items, left := b.items, b.left
		b.items, b.left, b.bytes = nil, nil, 0
		b.mu.Unlock()
		if len(items) == 0 && len(left) == 0 {
			return
		}
		b.finish(w, items, left)
		b.mu.Lock()
		b.started -= len(items)
		again := b.due()
		b.mu.Unlock()
		if !again {
			return
		}
	}
}

// finish does all that is left to do for some files and finished directories.
func (b *batch) finish(w *worker, items []item, left []*filling) {
	before := w.page
	defer func() { w.page = before }()
	b.syncData(items)
	for i := range items {
		w.page = items[i].page
		w.name(&items[i])
	}
	b.syncNames(items, left)
	for i := range items {
		w.page = items[i].page
		w.leaveItem(&items[i])
	}
	for _, f := range left {
		w.page = f.page
		w.leaveDirectory(f)
	}
	for i := range items {
		it := &items[i]
		it.in.note(it.entry)
		w.journal.close(it.page)
		w.drop(it.in)
	}
}

// name gives a copy that is on disk its name. Its source must still be what was
// copied.
func (w *worker) name(it *item) {
	if it.dst == nil {
		return
	}
	if it.problem == nil {
		it.problem = w.mover.vouch(w, it.dst, it.src)
	}
	if it.dst.staging != nil {
		it.problem = w.commitOrAbandon(it.entry, it.dst, it.problem)
		it.entry.placed = it.problem == nil
	}
}

// leaveItem removes the source of a file that is on disk with its name, if it is
// to go, and closes both.
func (w *worker) leaveItem(it *item) {
	e := it.entry
	if it.dst != nil {
		it.problem = w.closeCopy(e, it.dst, it.src, it.problem)
	} else if it.problem == nil {
		it.problem = w.mover.leaveOther(w, e)
	}
	if it.problem != nil {
		e.failed = true
		w.crew.heed(it.problem)
		w.report(w.collided(e, it.problem))
	}
	e.close()
	if it.dst != nil {
		w.landed(e, it.flight)
	}
}

// postpone gives a file that is no regular one to the batch, if its source goes
// when its name is on disk.
func (c *Copier) postpone(e *entry) bool {
	if c.mover == nil || e.is(unix.S_IFREG) || e.action.links() || e.stat.Nlink != 1 || c.filling == nil || !c.batch.holds(e.dst.Dir) {
		return false
	}
	e.handed = true
	c.filling.left.Add(1)
	c.batch.start()
	c.batch.add(c.worker, item{task: task{e, c.journal.open(fileWeight), c.filling}})
	return true
}
