package filecopy

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// A setting is what holds for a whole copy, and never changes.
type setting struct {
	options    Options
	umask      uint32
	privileged bool     // may give files away, so that not being allowed to is an error
	ledger     *ledger  // nil unless sources go
	mover      *mover   // nil unless each source goes once its copy is safe
	sources    *sources // nil unless what the user named goes when all of it is copied
	batch      *batch   // nil if each file is synced by itself, or none
	durable    bool     // copies count when they are on disk
	gauge      *Gauge
	stopping   atomic.Bool
}

// A worker copies the contents and the attributes of one file at a time: see
// copyRegular and keep. What it does depends on nothing but the setting and the
// entry that it is given, so that others may do the same with other files
// meanwhile. Whatever depends on files that were copied before, and on the
// user's answers, is decided by the walk before.
type worker struct {
	*setting
	journal  *journal
	crew     *crew // that the worker belongs to; of the walk, nil as long as nobody helps
	page     *page // where the events of the current file go; nil for the walk's own
	engine   *splice.Copier
	devices  devices
	total    splice.Report // of what this worker moved
	verified Verified
	reasons  Tally
	block    []byte
	compared []byte // a block of each of two files that are compared, at addresses for O_DIRECT

	temporaries temporaryHolder

	departures int               // files so far
	progress   func(int64) error // arrived

	// Of the current file:

	moved   splice.Report
	shared  bool   // it has the blocks of its source
	refused bool   // it should have
	seeks   Answer // whether it was asked for its holes
	scans   Answer // whether it was searched for zeros
	flight  atomic.Pointer[flight]
}

func newWorker(s *setting, j *journal) *worker {
	w := &worker{setting: s, journal: j, engine: splice.New(), devices: devices{}}
	w.progress = w.arrived
	s.gauge.watch(w)
	return w
}

func (w *worker) close() {
	w.engine.Close()
	if w.compared != nil {
		unix.Munmap(w.compared)
		w.compared = nil
	}
}

// omitted are the permissions that a file is at first made without: all but
// the owner's if the owner will change, else those given.
func (s *setting) omitted(otherwise uint32) uint32 {
	if s.options.Preserve.has(Ownership) {
		return unix.S_IRWXG | unix.S_IRWXO
	}
	return otherwise
}

func (w *worker) report(p *Problem) { w.tell(p) }

// copying tells, once, that a file is copied.
func (w *worker) copying(e *entry) {
	switch {
	case e.told || !w.details():
		return
	case e.role == onTheWay:
		w.tell(Parent{e.src.Path(), e.dst.Path()})
	default:
		w.tell(Copying{e.src.Path(), e.dst.Path(), e.backupPath(), e.action, e.is(unix.S_IFDIR)})
	}
	e.told = true
}

func (w *worker) removed(e *entry) {
	if w.details() {
		w.tell(Removed{e.dst.Path()})
	}
}

func (w *worker) skipped(e *entry) {
	if w.details() {
		w.tell(Skipped{e.dst.Path()})
	}
}

// copied tells how the current file was copied.
func (w *worker) copied(how How) {
	w.reasons[how.Reason]++
	if w.details() {
		w.tell(Copied{how})
	}
}
