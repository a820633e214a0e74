package filecopy

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// A partial copy can be continued if it is a beginning of its source. That is
// asked of all of it if the copies are verified or their sources will be removed,
// and else of samples: its beginning, its end, where a crash would have cost something, and pieces in
// between.

const (
	// sample is what is compared at once, in bytes.
	sample = 64 << 10
	// samples are compared of a file that is not compared entirely.
	samples = 32
	// sampledEnd is how much of its end is compared, in bytes.
	sampledEnd = 1 << 20
)

// continueOrEmpty finds out how much of the source dst has already, and
// otherwise empties it.
func (w *worker) continueOrEmpty(dst, src *file) *Problem {
	if w.options.Resume && dst.stat.Size > 0 {
		why, err := w.noBeginning(dst, src)
		switch {
		case err != nil:
			return err
		case why == "":
			dst.done = dst.stat.Size
			w.resumed(dst)
			return nil
		}
		w.report(&Problem{What: StartedOver, Dest: dst.at.path(), Err: plainError(why)})
	}
	if err := ftruncate(dst.fd, 0); err != nil {
		return &Problem{What: CreateFile, Dest: dst.at.path(), Err: err}
	}
	dst.stat.Size, dst.stat.Blocks = 0, 0
	return nil
}

// noBeginning says why dst cannot be a beginning of src, or nothing if it is
// one.
func (w *worker) noBeginning(dst, src *file) (why string, p *Problem) {
	size, all := dst.stat.Size, w.options.Verify || w.mover != nil
	switch {
	case !src.regular():
		return "its source is not a regular file", nil
	case size > src.stat.Size:
		return "it is longer than its source", nil
	case hasHoles(dst):
		return "it has holes, or blocks that were only reserved", nil
	case !all && src.stat.Mtim.Nano() > dst.stat.Mtim.Nano():
		return "its source has changed since", nil
	}
	tail, step := max(0, size-sampledEnd), max(sample, size/samples)
	for at := int64(0); at < size; {
		if w.stopped() {
			return "", w.interrupted(dst)
		}
		if same, p := w.sameAt(dst, src, at, min(sample, size-at)); p != nil || !same {
			return "it differs from its source", p
		}
		if all || at >= tail {
			at += sample
		} else {
			at = min(at+step, tail)
		}
	}
	return "", nil
}

// sameAt compares n bytes at an offset.
func (w *worker) sameAt(dst, src *file, at, n int64) (bool, *Problem) {
	if w.block == nil {
		w.block = make([]byte, zeroBuffer)
	}
	a, b := w.block[:n], w.block[sample:][:n]
	got, err := pread(src.fd, a, at)
	if err != nil {
		return false, &Problem{What: Read, Source: src.at.path(), Err: err}
	}
	had, err := pread(dst.fd, b, at)
	if err != nil {
		return false, &Problem{What: ReadBack, Dest: dst.at.path(), Err: err}
	}
	return bytes.Equal(a[:got], b[:had]), nil
}

// hasHoles reports whether some of a file was never written. Blocks that are
// reserved count as holes, on filesystems that say where these are.
func hasHoles(f *file) bool {
	hole, err := unix.Seek(f.fd, 0, unix.SEEK_HOLE)
	if err != nil {
		return looksSparse(f)
	}
	_, err = unix.Seek(f.fd, 0, unix.SEEK_SET) // where writing begins
	return hole < f.stat.Size || err != nil
}

// begun reports whether what was found is a partial copy that is to be continued:
// it is newer than its source, as copies are, and still no newer file that
// Update lets be.
func (c *Copier) begun(e *entry) (bool, *Problem) {
	o := &c.options
	if !o.Resume || o.Atomic || !c.through(e) || c.replaces(e) ||
		!e.is(unix.S_IFREG) || !isKind(e.found, unix.S_IFREG) || e.found.Size >= e.stat.Size {
		return false, nil
	}
	src, p := c.openSource(e)
	if p != nil {
		return false, p
	}
	fd, err := openat(e.dst, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, &Problem{What: CreateFile, Dest: e.dst.path(), Err: err}
	}
	defer unix.Close(fd)
	why, p := c.noBeginning(&file{fd: fd, at: e.dst, stat: *e.found}, src)
	return why == "" && p == nil, p
}

func (w *worker) resumed(dst *file) {
	if w.journal.events.Resumed != nil {
		dest, at := dst.at.path(), dst.done
		w.journal.note(w.page, func(to Events) { to.Resumed(dest, at) })
	}
}

// adopt takes over what a killed run has left of the same copy, if it left
// something, and removes what there is more. Root takes over nobody else's: its
// owner could read on, and would own the copy.
func (w *worker) adopt(dst *file) {
	s := dst.staging
	for slot := range temporarySlots {
		q := s.to.temporary(slot)
		fd, st, ours := openTemporary(q, dst.flags)
		switch {
		case !ours && !exists(q):
			return
		case !ours:
		case dst.fd < 0 && int(st.Uid) == unix.Geteuid() && lock(fd) == nil && named(q, st):
			dst.fd, s.temporary = fd, q
		default:
			unix.Close(fd)
			abandoned(q)
		}
	}
}

func exists(p place) bool {
	return fstatat(p, new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW) == nil
}

// fillRest continues a partial copy.
func (w *worker) fillRest(dst, src *file) *Problem {
	from := dst.done
	if err := w.arrived(from); err != nil {
		return w.problemOf(err, dst, src)
	}
	if w.makesHoles(src) {
		return w.fillSparsely(dst, src)
	}
	f := w.newSparseCopy(dst, src)
	f.options.Preallocate = true
	f.options.Progress = w.following(dst, from)
	left := int64(-1)
	if exact(f.d, f.s) {
		if left = src.stat.Size - from; left == 0 {
			return nil
		}
	}
	end, p := f.part(from, left)
	if p != nil {
		ftruncate(dst.fd, end) // what is said is why
	}
	return p
}
