package filecopy

import (
	"fmt"
	"sync"
	"sync/atomic"

	"zeroutils/internal/filecopy/place"
)

// Stop makes the copy end as soon as the system calls under way have returned,
// from any goroutine. What is being copied stays unfinished, and is reported.
// Complete copies in a batch are finished.
func (c *Copier) Stop() { c.stopping.Store(true) }

// plainError is a text that callers can show as it is.
type plainError string

func (e plainError) Error() string { return string(e) }

// errStopped ends a copy that the engine makes.
const errStopped = plainError("stopped")

// stopped reports whether nothing more is to be begun.
func (s *setting) stopped() bool { return s.stopping.Load() }

// interrupted says of a file how far it has come.
func (w *worker) interrupted(dst *file) *Problem {
	p := &Problem{What: Interrupted, Dest: dst.at.Path()}
	if f := w.flight.Load(); f != nil {
		p.Err = plainError(fmt.Sprintf("%d of %d bytes", f.arrived.Load(), f.size))
	}
	return p
}

// A temporaryHolder knows the temporary that a worker has, for whoever ends the
// process while a system call does not return.
type temporaryHolder struct {
	mu      sync.Mutex
	staging *staging
}

func (h *temporaryHolder) set(s *staging) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.staging = s
}

// RemoveTemporaries takes away what is not complete, before the process ends in
// the middle of a copy. The copy goes on, if it does, to no avail.
func (c *Copier) RemoveTemporaries() {
	if c.options.Resume { // they are what the next run continues
		return
	}
	g := c.gauge
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.workers {
		w.temporaries.mu.Lock()
		if s := w.temporaries.staging; s != nil && s.temporary.Name != "" {
			place.Unlink(s.temporary, 0)
		}
		// It stays locked: nothing gets its name any more.
	}
}

// Completed counts the regular files that were copied in full, with all that
// was asked for, and their bytes.
type Completed struct{ Files, Bytes int64 }

// completed is Completed while it grows.
type completed struct{ files, bytes atomic.Int64 }

// Completed says what is complete so far, to any goroutine.
func (g *Gauge) Completed() Completed {
	return Completed{Files: g.completed.files.Load(), Bytes: g.completed.bytes.Load()}
}
