package filecopy

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/splice"
)

// makesHoles reports whether the copy of a file is to have holes. Where they
// are is asked only of a file with fewer blocks than its size takes: some
// filesystems have called data that was not on disk yet a hole.
func (w *worker) makesHoles(src *file) bool {
	switch w.options.Data.Sparse {
	case SparseAlways:
		return true
	case SparseAuto:
		return looksSparse(src)
	}
	return false
}

func looksSparse(src *file) bool { return src.regular() && src.stat.Blocks*512 < src.stat.Size }

// A sparseCopy is a file that is being copied with holes: every part that has
// data goes to its own offset, and nothing is written in between.
type sparseCopy struct {
	*worker
	dst, src *file
	d, s     *splice.Descriptor
	options  splice.Options
	end      int64 // of the data that was written, and so the size of dst
}

// fillSparsely copies src to the empty dst with holes. Sharing all blocks is
// tried first: filesystems that compress look sparse, and a clone has the
// source's holes.
func (w *worker) fillSparsely(dst, src *file) *Problem {
	f := w.newSparseCopy(dst, src)
	if dst.done == 0 {
		if done, p := w.share(f.d, f.s, dst, src); done {
			return p
		}
		f.options = w.transfer(f.s)
	}
	size, p := f.parts()
	if p == nil && f.end < size {
		if err := place.Ftruncate(dst.fd, size); err != nil {
			return &Problem{What: Extend, Dest: dst.at.Path(), Err: err}
		}
		f.punch(f.end, size)
	}
	return p
}

func (w *worker) newSparseCopy(dst, src *file) *sparseCopy {
	f := &sparseCopy{
		worker: w, dst: dst, src: src,
		d: w.describe(dst), s: w.describe(src),
		end: dst.done,
	}
	f.options = w.transfer(f.s)
	return f
}

// parts copies what has data, and returns the size of the source. Each step
// begins where the last one ended, or ends the copy, whatever a writer or a
// hole puncher does to the source meanwhile.
func (f *sparseCopy) parts() (size int64, p *Problem) {
	size = f.src.stat.Size
	if !looksSparse(f.src) {
		return f.part(f.end, -1)
	}
	f.seeks = Yes
	for at := f.end; at < size; {
		data, err := unix.Seek(f.src.fd, at, unix.SEEK_DATA)
		switch err {
		case nil:
		case unix.ENXIO: // a hole up to the end, which may be nearer by now
			if end, err := unix.Seek(f.src.fd, 0, unix.SEEK_END); err == nil {
				size = min(size, end)
			}
			return size, nil
		default: // EINVAL, EOPNOTSUPP: the filesystem does not say
			return f.zeros(at, -1)
		}
		hole, err := unix.Seek(f.src.fd, data, unix.SEEK_HOLE)
		if err != nil || hole <= data { // it was punched just now: what is left is read
			return f.part(data, -1)
		}
		if at == 0 && data == 0 && hole >= size && !seeksHoles(f.s.FS) {
			return f.zeros(0, -1)
		}
		if end, p := f.part(data, hole-data); p != nil || end < hole {
			return end, p // shorter than it was
		}
		at = hole
	}
	return size, nil
}

// seeksHoles reports whether a file without a hole, on a filesystem, has none,
// although its blocks are fewer than its size takes, as those that are compressed
// have. Others, among them most behind FUSE, know nothing of holes: SEEK_HOLE is the
// end of every file.
func seeksHoles(magic int64) bool { return keepsSizes(magic) || magic == unix.OVERLAYFS_SUPER_MAGIC }

// part copies n bytes at an offset, or all to the end if n is negative, and
// returns where the source's bytes ended.
func (f *sparseCopy) part(at, n int64) (int64, *Problem) {
	if f.worker.options.Data.Sparse == SparseAlways {
		return f.zeros(at, n)
	}
	f.punch(f.end, at)
	if _, err := unix.Seek(f.src.fd, at, unix.SEEK_SET); err != nil {
		return at, &Problem{What: SeekSource, Source: f.src.at.Path(), Err: err}
	}
	if _, err := unix.Seek(f.dst.fd, at, unix.SEEK_SET); err != nil {
		return at, &Problem{What: SeekDest, Dest: f.dst.at.Path(), Err: err}
	}
	f.s.Offset, f.d.Offset = at, at
	o := f.options
	o.Limit = max(n, 0)
	delivered, err := f.transferData(f.d, f.s, o)
	f.end = at + delivered
	return f.end, f.problemOf(err, f.dst, f.src)
}

// punch gives back what the filesystem reserved between two parts. XFS reserves
// ahead of what is written, and would keep it.
func (f *sparseCopy) punch(from, to int64) {
	if f.d.FS == unix.XFS_SUPER_MAGIC && from > 0 && from < to {
		// To keep it is no failure.
		unix.Fallocate(f.dst.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, to-from)
	}
}

const (
	// zeroBlock is the size in bytes of the zeros that become a hole: what
	// filesystems allocate, and a page.
	zeroBlock = 4096
	// zeroBuffer is what is read at once, in bytes, as in package splice.
	zeroBuffer = 256 << 10
)

var noData [zeroBlock]byte

// zeros copies like part, but reads the data and leaves out blocks of zeros.
func (f *sparseCopy) zeros(at, n int64) (int64, *Problem) {
	start := time.Now()
	f.scans = Yes
	var report splice.Report
	defer func() {
		report.Elapsed = time.Since(start)
		f.count(report)
	}()
	if f.block == nil {
		f.block = make([]byte, zeroBuffer)
	}
	if _, err := unix.Seek(f.src.fd, at, unix.SEEK_SET); err != nil && err != unix.ESPIPE {
		return at, &Problem{What: SeekSource, Source: f.src.at.Path(), Err: err}
	}
	for left := n; left != 0; {
		buf := f.block
		if left > 0 {
			buf = buf[:min(left, zeroBuffer)]
		}
		got, err := place.Read(f.src.fd, buf)
		report.Calls++
		if err != nil {
			return at, &Problem{What: Read, Source: f.src.at.Path(), Err: err}
		}
		if got == 0 {
			break
		}
		if err := f.writeData(buf[:got], at, &report); err != nil {
			return at, &Problem{What: Write, Dest: f.dst.at.Path(), Err: err}
		}
		at += int64(got)
		if err := f.arrived(int64(got)); err != nil {
			return at, f.problemOf(err, f.dst, f.src)
		}
		if left > 0 {
			left -= int64(got)
		}
	}
	return at, nil
}

// writeData writes at an offset what in buf is not zeros.
func (f *sparseCopy) writeData(buf []byte, at int64, report *splice.Report) error {
	for len(buf) > 0 {
		skipped := leadingZeros(buf, at)
		report.Delivered += int64(skipped)
		buf, at = buf[skipped:], at+int64(skipped)
		n := leadingData(buf, at)
		if n == 0 {
			continue
		}
		f.punch(f.end, at)
		if err := place.Pwrite(f.dst.fd, buf[:n], at); err != nil {
			return err
		}
		report.Calls++
		report.Delivered += int64(n)
		report.By[splice.ReadWrite] += int64(n)
		report.Copied += 2 * int64(n)
		buf, at = buf[n:], at+int64(n)
		f.end = at
	}
	return nil
}

// leadingZeros is how many bytes of buf, which is from offset at of a file,
// are blocks of zeros.
func leadingZeros(buf []byte, at int64) (n int) {
	for n < len(buf) {
		size := blockAt(buf[n:], at+int64(n))
		if !bytes.Equal(buf[n:n+size], noData[:size]) {
			return n
		}
		n += size
	}
	return n
}

// leadingData is how many bytes come before the next block of zeros.
func leadingData(buf []byte, at int64) (n int) {
	for n < len(buf) {
		size := blockAt(buf[n:], at+int64(n))
		if bytes.Equal(buf[n:n+size], noData[:size]) {
			return n
		}
		n += size
	}
	return n
}

// blockAt is how much of buf is in the block that offset at is in.
func blockAt(buf []byte, at int64) int {
	return min(len(buf), zeroBlock-int(at%zeroBlock))
}
