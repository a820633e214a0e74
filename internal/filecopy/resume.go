package filecopy

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// A partial copy is continued if it is a beginning of its source. All of it is
// compared if the copy is to be on disk, is verified, or will be the only one, or
// if it does not say which source it is from. Else samples are compared: its
// beginning, its end, where a crash would have cost something, and pieces in
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
		dst.marked = hasMark(dst)
		why, err := w.noBeginning(dst, src)
		switch {
		case err != nil:
			return err
		case why == "":
			dst.done = dst.stat.Size
			w.resumed(dst)
			return nil
		}
		w.report(&Problem{What: StartedOver, Dest: dst.at.Path(), Err: plainError(why)})
	}
	if err := place.Ftruncate(dst.fd, 0); err != nil {
		return &Problem{What: CreateFile, Dest: dst.at.Path(), Err: err}
	}
	dst.stat.Size, dst.stat.Blocks = 0, 0
	return nil
}

// noBeginning says why dst cannot be a beginning of src, or nothing if it is
// one.
func (w *worker) noBeginning(dst, src *file) (why string, p *Problem) {
	size, all := dst.stat.Size, w.comparesAll()
	switch {
	case !src.regular():
		return "its source is not a regular file", nil
	case size > src.stat.Size:
		return "it is longer than its source", nil
	case hasHoles(dst):
		return "it has holes, or blocks that were only reserved", nil
	case !all && src.stat.Mtim.Nano() > dst.stat.Mtim.Nano():
		return "its source has changed since", nil
	case w.durable:
		return w.differsOnDisk(dst, src)
	case !all:
		all = !marked(dst, src)
	}
	tail, step := max(0, size-sampledEnd), max(sample, size/samples)
	for at := int64(0); at < size; {
		if w.stopped() {
			return "", w.interrupted(dst)
		}
		if same, p := w.sameAt(dst, src, at, min(sample, size-at)); p != nil || !same {
			return differsFromSource, p
		}
		if all || at >= tail {
			at += sample
		} else {
			at = min(at+step, tail)
		}
	}
	return "", nil
}

const differsFromSource = "it differs from its source"

// comparesAll reports whether a partial copy is compared entirely in any case.
func (w *worker) comparesAll() bool {
	return w.options.Verify || w.durable
}

// differsOnDisk says why what the disk has of dst cannot be a beginning of src.
// The page cache does not count: after a failed write-back it still has what
// the disk lacks, fsync(2) reports that once, and the next fsync succeeds.
func (w *worker) differsOnDisk(dst, src *file) (why string, p *Problem) {
	c := &comparison{worker: w, dst: dst, src: src}
	if err := c.allocate(); err != nil {
		return "", &Problem{What: ReadBack, Dest: dst.at.Path(), Err: err}
	}
	direct := false
	if onDisk(w.devices.filesystem(dst)) {
		if !w.readsDisk(dst) || setDirect(dst.fd, true) != nil {
			return "it cannot be read past the page cache", nil
		}
		direct = true
		defer setDirect(dst.fd, false)
	}
	for at := int64(0); at < dst.stat.Size; at += compareBlock {
		if w.stopped() {
			return "", w.interrupted(dst)
		}
		n := min(compareBlock, dst.stat.Size-at)
		a, b := c.compared[:n], c.compared[compareBlock:]
		got, err := place.Pread(src.fd, a, at)
		if err != nil {
			return "", &Problem{What: Read, Source: src.at.Path(), Err: err}
		}
		had, err := place.Pread(dst.fd, b, at)
		switch {
		case err == unix.EINVAL && direct && int64(had) == n: // behind an odd end of the file
		case err != nil:
			return "it cannot be read back: " + err.Error(), nil // that it could not be written back is told once
		}
		if !bytes.Equal(a[:got], b[:had]) {
			return differsFromSource, nil
		}
	}
	return "", nil
}

// readsDisk reports whether O_DIRECT makes reads of a file come from the disk.
// The server of a FUSE filesystem and the host of a 9P or VirtualBox one read
// through a page cache of theirs. statx(2) says which files others read so, since
// Linux 6.1.
func (w *worker) readsDisk(f *file) bool {
	switch w.devices.filesystem(f) {
	case unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, vboxMagic:
		return false
	}
	var st unix.Statx_t
	err := place.Retry(func() error {
		return unix.Statx(f.fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &st)
	})
	return err != nil || st.Mask&unix.STATX_DIOALIGN == 0 || st.Dio_offset_align != 0
}

// vboxMagic is VBOXSF_SUPER_MAGIC, fs/vboxsf/super.c.
const vboxMagic = 0x786f4256

// distrust takes away a copy in its final place that could not be synced: who
// looks at it, or compares it later, would see the page cache. A file that was
// there before is left empty, as old as it was.
func (f *file) distrust() {
	if !f.regular() {
		return
	}
	if f.fresh {
		f.unname()
		return
	}
	place.Ftruncate(f.fd, 0)
	attr.Opened(f.fd, f.at).Touch(f.stat.Atim, f.stat.Mtim)
}

// markName is an extended attribute of a partial copy that says which source it
// is of. It goes when the copy is complete.
const markName = "user.zcp.source"

// markOf tells a source from another one that has come to its name, and from
// itself before its last change.
func markOf(src *file) []byte {
	st := &src.stat
	return fmt.Appendf(nil, "%d:%d:%d:%d", st.Dev, st.Ino, st.Ctim.Nano(), st.Size)
}

// mark gives dst its mark before anything is copied, if that could save a
// comparison later. A filesystem without extended attributes has none: then the
// partial copy is compared entirely.
func (w *worker) mark(dst, src *file) {
	if w.options.Resume && !w.comparesAll() && dst.regular() && src.regular() && src.stat.Size > samples*sample {
		dst.marked = unix.Fsetxattr(dst.fd, markName, markOf(src), 0) == nil || dst.marked
	}
}

func (f *file) unmark() {
	if f.marked {
		unix.Fremovexattr(f.fd, markName)
	}
}

func hasMark(f *file) bool {
	_, err := unix.Fgetxattr(f.fd, markName, nil)
	return err == nil
}

// marked reports whether dst says that it is a copy of src as that is now.
func marked(dst, src *file) bool {
	mark := make([]byte, 128)
	n, err := unix.Fgetxattr(dst.fd, markName, mark)
	return err == nil && bytes.Equal(mark[:n], markOf(src))
}

// sameAt compares n bytes at an offset.
func (w *worker) sameAt(dst, src *file, at, n int64) (bool, *Problem) {
	if w.block == nil {
		w.block = make([]byte, zeroBuffer)
	}
	a, b := w.block[:n], w.block[sample:][:n]
	got, err := place.Pread(src.fd, a, at)
	if err != nil {
		return false, &Problem{What: Read, Source: src.at.Path(), Err: err}
	}
	had, err := place.Pread(dst.fd, b, at)
	if err != nil {
		return false, &Problem{What: ReadBack, Dest: dst.at.Path(), Err: err}
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
		!e.is(unix.S_IFREG) || !place.IsKind(e.found, unix.S_IFREG) || e.found.Size >= e.stat.Size {
		return false, nil
	}
	src, p := c.openSource(e)
	if p != nil {
		return false, p
	}
	fd, err := place.Open(e.dst, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, &Problem{What: CreateFile, Dest: e.dst.Path(), Err: err}
	}
	defer unix.Close(fd)
	why, p := c.noBeginning(&file{fd: fd, at: e.dst, stat: *e.found}, src)
	return why == "" && p == nil, p
}

func (w *worker) resumed(dst *file) {
	if w.details() {
		w.tell(Resumed{dst.at.Path(), dst.done})
	}
}

// adopt takes over what a killed run has left of the same copy, if it left
// something, and removes what there is more. Root takes over nobody else's: its
// owner could read on, and would own the copy.
func (w *worker) adopt(dst *file) {
	s := dst.staging
	for _, q := range s.to.LeftBehind() {
		if q.Reserved() {
			continue
		}
		fd, st, ours := place.OpenTemporary(q, dst.flags)
		switch {
		case !ours:
		case dst.fd < 0 && int(st.Uid) == unix.Geteuid() && place.TryLock(fd) == nil && place.IsNamed(q, st):
			dst.fd, s.temporary = fd, q
			continue
		default:
			unix.Close(fd)
		}
		place.Abandoned(q)
	}
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
		place.Ftruncate(dst.fd, end) // what is said is why
	}
	return p
}
