package filecopy

import (
	"runtime"
	"sync"
	"sync/atomic"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/splice"
)

// A Gauge shows how far a copy has come to whoever asks meanwhile, from any
// goroutine.
type Gauge struct {
	bytes, files atomic.Int64
	completed    completed
	missing      completed

	mu      sync.Mutex
	workers []*worker
}

// Bytes are those of the regular files that are done, holes and all, and what
// has arrived of those under way.
func (g *Gauge) Bytes() int64 { return g.bytes.Load() }

// Files is the number of regular files that are done: copied, or left out as
// was wished.
func (g *Gauge) Files() int64 { return g.files.Load() }

// Missing counts the regular files that could not be copied, and their bytes.
func (g *Gauge) Missing() (files, bytes int64) {
	return g.missing.files.Load(), g.missing.bytes.Load()
}

// Current is the largest of the files under way: its name, how many bytes
// have arrived and how many it had when it was looked at. ok is false if there
// is none.
func (g *Gauge) Current() (name string, arrived, size int64, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var largest *flight
	for _, w := range g.workers {
		if f := w.flight.Load(); f != nil && (largest == nil || f.size > largest.size) {
			largest = f
		}
	}
	if largest == nil {
		return "", 0, 0, false
	}
	return largest.from.Path(), largest.arrived.Load(), largest.size, true
}

func (g *Gauge) watch(w *worker) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.workers = append(g.workers, w)
}

// A flight is a file on its way.
type flight struct {
	from    place.Place
	size    int64
	arrived atomic.Int64
}

// filesOfAThread is after how many files the scheduler may run, as within a
// copy (package splice). Measured for 20,000 small files and one worker: 1,180
// context switches and 0.36 s of CPU time without this, 480 and 0.34 with it.
const filesOfAThread = 64

// depart notes which file is being copied.
func (w *worker) depart(e *entry) {
	if w.departures++; w.departures%filesOfAThread == 0 {
		runtime.Gosched()
	}
	w.moved, w.shared, w.refused, w.seeks, w.scans = splice.Report{}, false, false, No, No
	w.flight.Store(&flight{from: e.src, size: e.stat.Size})
}

// arrived counts bytes of it.
func (w *worker) arrived(n int64) error {
	w.gauge.bytes.Add(n)
	if f := w.flight.Load(); f != nil {
		f.arrived.Add(n)
	}
	if w.stopped() {
		return errStopped
	}
	return nil
}

// land notes that a regular file is done, if only by being left out. What did
// not arrive of it, holes for instance, will not come any more. One that could
// not be copied is not done.
func (w *worker) land(e *entry) { w.landed(e, w.flight.Swap(nil)) }

func (w *worker) landed(e *entry, f *flight) {
	rest, arrived := e.stat.Size, int64(0)
	if f != nil {
		arrived = f.arrived.Load()
	}
	if e.failed {
		w.gauge.bytes.Add(-arrived)
		w.gauge.missing.files.Add(1)
		w.gauge.missing.bytes.Add(e.stat.Size)
		return
	}
	rest -= arrived
	w.gauge.bytes.Add(max(rest, 0))
	w.gauge.files.Add(1)
}
