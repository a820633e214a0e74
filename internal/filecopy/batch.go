package filecopy

import (
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A batch is files that are copied and not yet on disk. One fsync(2) a file is
// slow, so they are synced together. The order is: the data of all; then all get
// their names; then the names are synced; then, where files are moved, the sources
// go. A directory that is finished waits for the next sync, too.
//
// syncfs(2) syncs the data and the names. It reports a write-back error once, to
// descriptors that were open before, and does not say of which file: when it fails
// each file is synced through the descriptor that it was written by. Where
// syncfs(2) does not report every error, or waits long for what others have
// written, write-back of all files is started and each is synced by fsync(2).
//
// Only regular files, and others that are moved, in directories that this copy has
// made are in a batch. A nil batch takes nothing.
type batch struct {
	*setting
	journal *journal

	flushing sync.Mutex // held by who flushes

	mu      sync.Mutex
	fd      int    // a directory on the filesystem, -1 if there is none yet
	dev     uint64 // of fd
	whole   bool   // syncfs(2) is used
	items   []item
	bytes   int64
	left    []*filling                // directories that are finished
	started int                       // files that workers have, or that are in items
	pressed bool                      // the walk waits
	named   map[place.FileID]struct{} // directories whose names are on disk
	most    int                       // items
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
	// mostBytes is how much data it has, for a move needs the room twice.
	mostBytes = 64 << 20
	// largestItem is the size of files, in bytes, that gain nothing by waiting.
	largestItem = 8 << 20
)

// newBatch returns a batch if copies are to be on disk, and nil otherwise.
func newBatch(s *setting, j *journal) *batch {
	if !s.durable || s.options.Verify || s.options.Resume || s.options.AttributesOnly {
		return nil
	}
	// With their sources, the files take at most a quarter of the descriptors.
	descriptors := openFiles()
	if descriptors < fewDescriptors {
		return nil
	}
	return &batch{setting: s, journal: j, fd: -1, most: int(min(descriptors/8, mostItems))}
}

// fewDescriptors are too few to keep many files open.
const fewDescriptors = 1024

// begin notes that a directory was made, before anything is written to it.
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
	if b == nil || b.fd < 0 {
		return
	}
	unix.Close(b.fd)
	b.fd = -1
	clear(b.named)
}

// holds reports whether files in a directory may be in the batch.
func (b *batch) holds(p place.Place) bool {
	if b == nil || !p.Fresh() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fd >= 0 && p.Dir.ID.Dev == b.dev
}

// takes reports whether a copy is complete but for what the batch does.
func (b *batch) takes(e *entry, dst, src *file) bool {
	if !b.holds(dst.home) || !e.handed || !src.regular() || !dst.regular() || src.stat.Size > largestItem {
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

// add takes a file. Who adds the last one that fits, or that the walk waits for,
// ends the batch.
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

// press has the batch end as soon as no worker is at work: the walk waits.
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

// flush ends the batch: what it has is on disk, or reported. While the walk waits
// it goes on until nothing is left.
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
		it := &items[i]
		w.page = it.page
		if it.dst != nil {
			it.problem = w.place(it)
		}
	}
	b.syncNames(w, items, left)
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

// place gives a complete copy that is on disk its name.
func (w *worker) place(it *item) *Problem {
	e, p := it.entry, it.problem
	if p == nil && w.stopped() {
		p = w.interrupted(it.dst)
	}
	if p == nil {
		p = w.mover.vouch(w, it.dst, it.src)
	}
	if it.dst.staging != nil {
		p = w.commitOrAbandon(e, it.dst, p)
		e.placed = p == nil
	}
	return p
}

// leaveItem removes the source of a file that is on disk with its name, and
// closes both.
func (w *worker) leaveItem(it *item) {
	e, p := it.entry, it.problem
	if p == nil && it.dst == nil {
		p = w.mover.leaveOther(w, e)
	}
	if p == nil && it.dst != nil {
		p = w.mover.finishFile(w, e, it.dst, it.src)
	}
	if p == nil && it.dst != nil {
		p = w.sources.finishFile(it.dst, it.src)
	}
	if p == nil && it.dst != nil {
		w.gauge.completed.files.Add(1)
		w.gauge.completed.bytes.Add(it.src.stat.Size)
	}
	if it.dst != nil {
		if err := unix.Close(it.dst.fd); err != nil && err != unix.EINTR {
			w.report(&Problem{What: Close, Dest: it.dst.at.Path(), Err: err})
		}
	}
	if p != nil {
		e.failed = true
		w.crew.heed(p)
		w.report(w.collided(e, p))
	}
	e.close()
	if it.dst != nil {
		w.landed(e, it.flight)
	}
}

// postpone gives a file that is no regular one to the batch, if it is to wait until
// its name is on disk.
func (c *Copier) postpone(e *entry) bool {
	if c.mover == nil || e.is(unix.S_IFREG) || e.action.links() || e.stat.Nlink != 1 || c.filling == nil || !c.batch.holds(e.dst) {
		return false
	}
	e.handed = true
	c.filling.left.Add(1)
	c.batch.start()
	c.batch.add(c.worker, item{task: task{e, c.journal.open(fileWeight), c.filling}})
	return true
}
