package filecopy

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/splice"
)

// fill brings the contents of src into the empty dst. What arrived before a
// failure stays; blocks reserved for what did not arrive go.
func (w *worker) fill(dst, src *file) *Problem {
	if w.options.Data.Reflink == ReflinkAlways {
		return w.clone(dst, src)
	}
	if dst.done > 0 {
		return w.fillRest(dst, src)
	}
	if dst.regular() && w.makesHoles(src) {
		return w.fillSparsely(dst, src)
	}
	d, s := w.describe(dst), w.describe(src)
	exact := exact(d, s)
	if exact {
		if done, p := w.share(d, s, dst, src); done || src.stat.Size == 0 {
			return p
		}
	}
	o := w.transfer(s)
	o.Alone = true
	o.Preallocate = true
	o.Progress = w.following(dst, 0)
	if exact {
		o.Limit = src.stat.Size
	}
	clones := !exact && w.clones(d, s, o)
	delivered, err := w.transferData(d, s, o)
	if clones {
		w.cloned(s, err)
	}
	if dst.regular() && (err != nil || delivered < src.stat.Size) {
		if cutErr := place.Ftruncate(dst.fd, delivered); err == nil && cutErr != nil {
			return &Problem{What: Extend, Dest: dst.at.Path(), Err: cutErr}
		}
	}
	return w.problemOf(err, dst, src)
}

// transfer is how the engine is to move data.
func (w *worker) transfer(src *splice.Descriptor) splice.Options {
	data := w.options.Data
	never := data.Reflink == ReflinkNever || data.Sparse == SparseNever
	return splice.Options{
		Method:    data.Method,
		Direct:    data.Direct,
		NoCache:   data.NoCache,
		NoOffload: never || w.devices.plain(src),
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
func exact(d, s *splice.Descriptor) bool {
	return s.Kind == splice.Regular && d.Kind == splice.Regular && keepsSizes(s.FS)
}

// clones reports whether sharing all blocks is what is tried first.
func (w *worker) clones(d, s *splice.Descriptor, o splice.Options) bool {
	plan, err := splice.Plan(d, s, o)
	return err == nil && plan[0] == splice.Reflink
}

// share lets the empty dst share all blocks of src, if that may be done. It
// returns false if it cannot, and the contents are to be moved.
func (w *worker) share(d, s *splice.Descriptor, dst, src *file) (done bool, p *Problem) {
	o := w.transfer(s)
	o.Alone = true
	if !w.clones(d, s, o) {
		return false, nil
	}
	if src.stat.Size == 0 {
		w.shared = true
		return true, nil
	}
	o.Method = splice.Reflink
	_, err := w.transferData(d, s, o)
	w.cloned(s, err)
	_, unserved := err.(*splice.UnservedError)
	return !unserved, w.problemOf(err, dst, src)
}

// cloned notes what came of trying to share, which is not tried again on a
// filesystem that has no such thing.
func (w *worker) cloned(src *splice.Descriptor, err error) {
	if unserved, ok := err.(*splice.UnservedError); ok {
		err = unserved.Errno
	} else if i := slices.IndexFunc(w.moved.Fallbacks, fromReflink); i >= 0 {
		err = w.moved.Fallbacks[i].Err
	}
	switch err {
	case nil:
		w.shared = true
		return
	case unix.EOPNOTSUPP, unix.ENOTTY, unix.ENOSYS:
		w.devices.makePlain(src)
	}
	w.refused = true
}

func fromReflink(f splice.Fallback) bool { return f.From == splice.Reflink }

// transferData lets the engine copy and adds up what it did.
func (w *worker) transferData(d, s *splice.Descriptor, o splice.Options) (int64, error) {
	report, err := w.engine.Copy(d, s, o)
	w.count(report)
	return report.Delivered, err
}

func (w *worker) count(report splice.Report) {
	w.total.Add(report)
	w.moved.Add(report)
}

// unsuited reports a method that cannot copy src to dst, before anything is
// done to dst.
func (w *worker) unsuited(dst, src *file) *Problem {
	if w.options.Data.Method == splice.Auto || w.options.Data.Reflink == ReflinkAlways {
		return nil
	}
	s := w.describe(src)
	_, err := splice.Plan(w.describe(dst), s, w.transfer(s))
	return w.problemOf(err, dst, src)
}

// problemOf says what an error of the engine means.
func (w *worker) problemOf(err error, dst, src *file) *Problem {
	switch err := err.(type) {
	case nil:
		return nil
	case *splice.ReadError:
		return &Problem{What: Read, Source: src.at.Path(), Err: err}
	case *splice.WriteError:
		return &Problem{What: Write, Dest: dst.at.Path(), Err: err}
	case plainError: // errStopped
		return w.interrupted(dst)
	default:
		return &Problem{What: Unserved, Source: src.at.Path(), Dest: dst.at.Path(), Err: err}
	}
}

// clone makes dst share all blocks of src, or leaves it as it was: it is not
// the engine that does it, since the kernel's reason is wanted for every pair
// of files, and since dst may have contents that must survive a failure. A
// file that was made for the clone is removed.
func (w *worker) clone(dst, src *file) *Problem {
	start := time.Now()
	err := place.Retry(func() error { return unix.IoctlFileClone(dst.fd, src.fd) })
	report := splice.Report{Calls: 1}
	if err == nil {
		report.Delivered = src.stat.Size
		report.By[splice.Reflink] = src.stat.Size
		if dst.stat.Size > src.stat.Size {
			err = place.Ftruncate(dst.fd, src.stat.Size)
		}
	}
	report.Elapsed = time.Since(start)
	w.count(report)
	if err == nil {
		w.shared = true
		return nil
	}
	w.refused, w.seeks = true, Unknown
	if dst.fresh && dst.staging == nil {
		dst.unname()
	}
	return &Problem{What: Clone, Source: src.at.Path(), Dest: dst.at.Path(), Err: err}
}
