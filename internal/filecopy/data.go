package filecopy

import (
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// fill brings the contents of src into the empty dst. What arrived before a
// failure stays; blocks reserved for what did not arrive go.
func (w *worker) fill(dst, src *file) *Problem {
	if w.options.Data.Reflink == ReflinkAlways {
		return w.clone(dst, src)
	}
	if dst.regular() && w.makesHoles(src) {
		return w.fillSparsely(dst, src)
	}
	o := w.transfer()
	o.Preallocate = true
	d, s := w.describe(dst), w.describe(src)
	if w.exact(d, s, o) {
		if o.Limit = src.stat.Size; o.Limit == 0 {
			return nil
		}
	}
	delivered, err := w.move(d, s, o)
	if dst.regular() && (err != nil || delivered < src.stat.Size) {
		if cutErr := ftruncate(dst.fd, delivered); err == nil && cutErr != nil {
			return &Problem{What: Extend, Dest: dst.at.path(), Err: cutErr}
		}
	}
	return w.problemOf(err, dst, src)
}

// transfer is how the engine is to move data.
func (w *worker) transfer() splice.Options {
	data := w.options.Data
	return splice.Options{
		Method:    data.Method,
		NoOffload: data.Reflink == ReflinkNever || data.Sparse == SparseNever,
		Progress:  w.progress,
	}
}

// describe tells the engine what is known of a file.
func (w *worker) describe(f *file) *splice.Descriptor {
	d := splice.Opened(f.fd, &f.stat, f.flags)
	if d.Kind == splice.Regular {
		d.FS = w.devices.filesystem(f)
	}
	return d
}

// exact reports whether a copy may stop at the size that the source had when
// it was opened, without reading on to see its end. A reflink has no limit.
func (w *worker) exact(d, s *splice.Descriptor, o splice.Options) bool {
	if s.Kind != splice.Regular || d.Kind != splice.Regular || !keepsSizes(s.FS) {
		return false
	}
	plan, err := splice.Plan(d, s, o)
	return err == nil && plan[0] != splice.Reflink
}

// move lets the engine copy and adds up what it did.
func (w *worker) move(d, s *splice.Descriptor, o splice.Options) (int64, error) {
	report, err := w.engine.Copy(d, s, o)
	w.total.Add(report)
	return report.Delivered, err
}

// unsuited reports a method that cannot copy src to dst, before anything is
// done to dst.
func (w *worker) unsuited(dst, src *file) *Problem {
	if w.options.Data.Method == splice.Auto || w.options.Data.Reflink == ReflinkAlways {
		return nil
	}
	_, err := splice.Plan(w.describe(dst), w.describe(src), w.transfer())
	return w.problemOf(err, dst, src)
}

// problemOf says what an error of the engine means.
func (w *worker) problemOf(err error, dst, src *file) *Problem {
	switch err := err.(type) {
	case nil:
		return nil
	case *splice.ReadError:
		return &Problem{What: Read, Source: src.at.path(), Err: err}
	case *splice.WriteError:
		return &Problem{What: Write, Dest: dst.at.path(), Err: err}
	case plainError: // errStopped
		return w.interrupted(dst)
	default:
		return &Problem{What: Unserved, Source: src.at.path(), Dest: dst.at.path(), Err: err}
	}
}

// clone makes dst share all blocks of src, or leaves it as it was: it is not
// the engine that does it, since the kernel's reason is wanted for every pair
// of files, and since dst may have contents that must survive a failure. A
// file that was made for the clone is removed.
func (w *worker) clone(dst, src *file) *Problem {
	start := time.Now()
	err := unix.IoctlFileClone(dst.fd, src.fd)
	for err == unix.EINTR {
		err = unix.IoctlFileClone(dst.fd, src.fd)
	}
	report := splice.Report{Calls: 1}
	if err == nil {
		report.Delivered = src.stat.Size
		report.By[splice.Reflink] = src.stat.Size
		if dst.stat.Size > src.stat.Size {
			err = ftruncate(dst.fd, src.stat.Size)
		}
	}
	report.Elapsed = time.Since(start)
	w.total.Add(report)
	if err == nil {
		return nil
	}
	if dst.fresh && dst.staging == nil {
		unix.Unlinkat(dst.at.fd(), dst.at.name, 0)
	}
	return &Problem{What: Clone, Source: src.at.path(), Dest: dst.at.path(), Err: err}
}
