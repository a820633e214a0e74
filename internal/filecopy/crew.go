package filecopy

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A crew is the workers beside the walk. They are started one by one, when
// there is more to do than those before them get done.
//
// They are given the regular files in directories that this copy has made. In
// such a directory no file can be another one, be it a source or a destination,
// by any name; elsewhere the order in which files are copied may tell, and is
// kept.
type crew struct {
	jobs    int // how many workers there may be
	tasks   chan task
	workers []*worker
	running sync.WaitGroup
	supply  supply
	full    atomic.Bool // a worker found no room: the walk goes on alone
}

// A task is one file to copy.
type task struct {
	entry *entry
	page  *page
	in    *filling
}

const (
	// waitingTasks are started no earlier than those before them, with their
	// source open.
	waitingTasks = 64
	// openPages bounds how much is done behind a file that takes long: files,
	// what the walk has to tell, and directories, 64 at most since each has two
	// descriptors until then.
	openPages       = 1024
	fileWeight      = 1
	directoryWeight = 16
	// aFew small files are copied before anybody else is told or called for
	// help: starting a thread takes as long as copying several.
	aFew = 32
	// small is how much data such a file has at most, in bytes: a millisecond's
	// work.
	small = 4 << 20
)

// busy reports whether there is more to do than to copy a few small files. The
// first time it tells that.
func (c *Copier) busy(e *entry) bool {
	if c.few > aFew {
		return true
	}
	c.few++
	endless := c.hasContents(e) && !e.is(unix.S_IFREG)
	data := e.stat.Size
	if c.options.Data.Sparse != SparseNever {
		data = min(data, e.stat.Blocks*512)
	}
	if c.few <= aFew && data <= small && !endless {
		return false
	}
	c.few = aFew + 1
	c.journal.announce(Busy{})
	return true
}

// handOver gives a file to the crew, if that may copy it.
func (c *Copier) handOver(e *entry) bool {
	if c.filling == nil || !e.dst.Fresh() || c.crew == nil && !c.gather() || !c.affords(e) {
		return false
	}
	e.handed, e.awaited = true, c.batch.holds(e.dst.Dir)
	c.filling.left.Add(1)
	c.batch.start()
	if n := len(c.crew.workers); n == 0 || n < c.crew.jobs && len(c.crew.tasks) > 0 {
		w := newWorker(c.setting, c.journal)
		w.crew = c.crew
		c.crew.start(w)
	}
	c.crew.tasks <- task{e, c.journal.open(fileWeight), c.filling}
	return true
}

// gather makes the crew, if there may be one.
func (c *Copier) gather() bool {
	jobs := c.options.Jobs
	if jobs == 0 {
		jobs = runtime.NumCPU()
	}
	jobs = min(jobs, affordable(openFiles()))
	// The files of a batch are finished by others than the walk.
	if c.alone = c.alone || jobs <= 1 && c.batch == nil; c.alone {
		return false
	}
	c.crew = &crew{jobs: jobs, tasks: make(chan task, waitingTasks)}
	return true
}

// openFiles is how many descriptors this process may have.
func openFiles() uint64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return limit.Cur
}

// unusedDescriptors is how many more descriptors this process can open, if it
// has the lowest numbers. fd is any that is open.
func unusedDescriptors(fd int) int {
	lowest, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	unix.Close(lowest)
	return int(min(openFiles(), math.MaxInt32)) - lowest
}

// affordable is how many workers can have the descriptors that they may need,
// besides those of the walk, of directories and of tasks.
func affordable(openFiles uint64) int {
	const (
		others     = 512
		eachWorker = 6 // two files, a pipe, and two for a moment
	)
	if openFiles < 2*others {
		return 1
	}
	return int(min(openFiles-others, math.MaxInt32) / eachWorker)
}

func (r *crew) start(w *worker) {
	r.workers = append(r.workers, w)
	r.running.Go(func() {
		for t := range r.tasks {
			w.do(t)
		}
	})
}

// do copies a file.
func (w *worker) do(t task) {
	b := w.batch // the walk may take another one for the next source
	w.page = t.page
	if !w.stopped() {
		if p := w.copyRegular(t.entry); p != nil {
			t.entry.failed = true
			w.crew.heed(p)
			w.report(w.collided(t.entry, p))
		}
	}
	if t.entry.waits != nil {
		t.entry.waits.task, t.entry.waits.flight = t, w.flight.Swap(nil)
		b.add(w, *t.entry.waits)
		return
	}
	t.entry.close()
	w.land(t.entry)
	t.in.note(t.entry)
	w.journal.close(t.page)
	w.drop(t.in)
	b.done(w)
}

// settle returns when the crew has done all that it was given.
func (c *Copier) settle() { c.wait(0) }

// wait returns when no more than enough is under way, see journal.wait. A batch that
// is not full does not wait for more.
func (c *Copier) wait(enough int) {
	if c.batch == nil || !c.journal.heavier(enough) {
		c.journal.wait(enough)
		return
	}
	c.batch.press(c.worker)
	c.journal.wait(enough)
	c.batch.release()
}

// dismiss ends the crew.
func (r *crew) dismiss() {
	if r == nil {
		return
	}
	close(r.tasks)
	r.running.Wait()
	for _, w := range r.workers {
		w.close()
	}
}

// all calls f with each worker.
func (r *crew) all(f func(*worker)) {
	if r != nil {
		for _, w := range r.workers {
			f(w)
		}
	}
}

// verified is what the workers have read back.
func (r *crew) verified() (total Verified) {
	if r != nil {
		for _, w := range r.workers {
			total.add(w.verified)
		}
	}
	return total
}
