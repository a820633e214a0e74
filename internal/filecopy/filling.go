package filecopy

import (
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// A filling is a directory that is being filled. It gets its attributes when
// everything in it is copied, by whoever did the last of it.
type filling struct {
	up      *filling
	entry   *entry
	made    *madeDirectory
	src     *place.Directory // nil if it could not be opened
	left    atomic.Int32     // files and subdirectories that are not done, and the walk through it
	below   atomic.Bool      // the batch has a directory in it
	page    *page
	problem *Problem

	mu     sync.Mutex
	stayed map[string]struct{} // names in a source that is moved which are there still, as was told; nil if it is copied
}

// note remembers a source that stays where it was.
func (f *filling) note(e *entry) {
	if f == nil || f.stayed == nil || e.gone {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stayed[strings.Clone(e.src.Name)] = struct{}{}
}

// begin notes that the walk is in a directory.
func (c *Copier) begin(e *entry, made *madeDirectory, src *place.Directory) {
	e.entered = true
	f := &filling{up: c.filling, entry: e, made: made, src: src}
	if c.mover != nil {
		f.stayed = map[string]struct{}{}
	}
	f.left.Store(1)
	if f.up != nil {
		f.up.left.Add(1)
	}
	c.filling = f
}

// end notes that the walk is done with it.
func (c *Copier) end() {
	f := c.filling
	c.filling = f.up
	f.page = c.journal.open(directoryWeight)
	c.drop(f)
}

// drop notes that one thing in a directory is done. A directory in which all is done
// goes to the batch, if that syncs what is in it: its source is removed after those
// of all directories in it.
func (w *worker) drop(f *filling) {
	for ; f != nil && f.left.Add(-1) == 0; f = f.up {
		before := w.page
		w.page = f.page
		f.problem = w.keepFilled(f)
		held := w.batch.holds(f.made.dir)
		if !held {
			f.problem = w.syncFilled(f)
		}
		if held || f.below.Load() {
			w.batch.leave(f)
			if f.up != nil {
				f.up.below.Store(true)
			}
		} else {
			w.leaveDirectory(f)
		}
		w.page = before
	}
}

// lost reports whether the directory could not be opened again, as was told.
func (f *filling) lost() bool { return f.src != nil && (level{f.src, f.made.dir}).lost() }

// syncFilled has a directory on disk that is in no batch, if that is wanted.
func (w *worker) syncFilled(f *filling) *Problem {
	if !w.durable || f.lost() {
		return f.problem
	}
	if p := syncOpen(f.made.dir); f.problem == nil {
		return p
	}
	return f.problem
}

// leaveDirectory ends a directory that is on disk and closes it. Its source is
// removed, if it is to go.
func (w *worker) leaveDirectory(f *filling) {
	if p := w.leaveFilled(f); p != nil {
		w.report(p)
	}
	f.made.dir.Close()
	if f.src != nil {
		f.src.Close()
	}
	w.journal.close(f.page)
	f.up.note(f.entry)
}

// leaveFilled removes the source of a directory, if it is to go and nothing went
// wrong.
func (w *worker) leaveFilled(f *filling) *Problem {
	if f.problem != nil || f.lost() {
		return f.problem
	}
	w.sources.note(&f.entry.stat)
	return w.mover.finishDirectory(w, f)
}

// keepFilled gives a directory that is filled its attributes. One that got lost was
// reported before.
func (w *worker) keepFilled(f *filling) *Problem {
	e, m := f.entry, f.made
	src := attr.Named(e.src)
	if f.lost() {
		return nil
	}
	if f.src != nil {
		src.FD = f.src.FD
	}
	fresh := e.action == Create
	p := w.keep(&attr.Pair{From: src, To: m.handle(), Source: &e.stat, Was: &m.stat, Fresh: fresh, NoXattrs: e.role == onTheWay})
	if p == nil && !w.options.Preserve.has(Mode) && !w.options.PlainModes && fresh {
		p = w.restoreMode(e, m)
	}
	return p
}

// restoreMode gives a new directory the permissions that it was made without.
func (w *worker) restoreMode(e *entry, m *madeDirectory) *Problem {
	omitted := m.omitted &^ w.umask &^ m.stat.Mode
	if omitted == 0 && !m.opened {
		return nil
	}
	if err := m.handle().Chmod(m.stat.Mode&^unix.S_IFMT | omitted); err != nil {
		return &Problem{What: PreservePermissions, Dest: e.dst.Path(), Err: err}
	}
	return nil
}
