package filecopy

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// Verified counts what was read back and found the same.
type Verified struct {
	Files, Bytes int64
	// Direct is how many of the bytes came from the disk on both sides, and not
	// from the page cache.
	Direct int64
}

func (v *Verified) add(other Verified) {
	v.Files += other.Files
	v.Bytes += other.Bytes
	v.Direct += other.Direct
}

// unverifiable refuses a copy that could not be verified, before opening a FIFO
// waits for somebody.
func (w *worker) unverifiable(e *entry) *Problem {
	if !w.options.Verify || rereadable(&e.stat) && (e.found == nil || e.action.beside() || rereadable(e.found)) {
		return nil
	}
	return &Problem{What: Unverifiable, Source: e.src.Path(), Dest: e.dst.Path()}
}

func rereadable(st *unix.Stat_t) bool {
	return place.IsKind(st, unix.S_IFREG) || place.IsKind(st, unix.S_IFBLK)
}

// verify compares a copy, which is on disk, with its source. It sets O_DIRECT
// for both descriptors, which are this package's own.
func (w *worker) verify(dst, src *file) *Problem {
	seen := w.openedAnew(dst)
	if seen != dst {
		defer unix.Close(seen.fd)
	}
	c := &comparison{worker: w, dst: seen, src: src}
	if err := c.prepare(); err != nil {
		return &Problem{What: ReadBack, Dest: dst.at.Path(), Err: err}
	}
	size, p := c.run()
	if p != nil {
		return p
	}
	v := Verified{Files: 1, Bytes: size}
	if c.direct[0] && c.direct[1] {
		v.Direct = size
	}
	w.verified.add(v)
	if w.details() {
		w.tell(Compared{dst.at.Path(), size, v.Direct == size})
	}
	return nil
}

// openedAnew returns a copy on SMB by a descriptor that was opened after it was
// complete: in Linux 5.10 the one that the server copied to has the size from
// before. Elsewhere, and where that fails, it returns dst.
func (w *worker) openedAnew(dst *file) *file {
	if !dst.regular() || !isSMB(w.devices.filesystem(dst)) {
		return dst
	}
	fd := -1
	err := place.Retry(func() (err error) {
		fd, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", dst.fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return dst
	}
	seen := *dst
	seen.fd = fd
	return &seen
}

func isSMB(magic int64) bool {
	return magic == unix.CIFS_SUPER_MAGIC || magic == unix.SMB2_SUPER_MAGIC
}

// compareBlock is what is read at once of either file, in bytes: a multiple of
// all alignments that O_DIRECT asks for.
const compareBlock = 512 << 10

// A comparison reads two files side by side.
type comparison struct {
	*worker
	dst, src *file
	direct   [2]bool
}

const (
	sourceSide = iota
	destSide
)

func (c *comparison) prepare() error {
	c.direct[sourceSide] = c.goDirect(c.src)
	c.direct[destSide] = c.goDirect(c.dst)
	if !c.direct[destSide] {
		// What was written is on disk: it may leave the cache. To keep it is no failure.
		unix.Fadvise(c.dst.fd, 0, 0, unix.FADV_DONTNEED)
	}
	return c.allocate()
}

// allocate makes the buffers, once for a worker.
func (c *comparison) allocate() (err error) {
	if c.compared == nil {
		c.compared, err = unix.Mmap(-1, 0, 2*compareBlock, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	}
	return err
}

// goDirect has a file read past the page cache, if there is anything behind it.
func (c *comparison) goDirect(f *file) bool {
	if f.regular() && !onDisk(c.devices.filesystem(f)) {
		return false
	}
	return setDirect(f.fd, true) == nil
}

func setDirect(fd int, on bool) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	flags &^= unix.O_DIRECT
	if on {
		flags |= unix.O_DIRECT
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags)
	return err
}

// run compares to the end of both, and returns the size of the source. A block
// device may be longer than what was copied to it.
func (c *comparison) run() (int64, *Problem) {
	for at := int64(0); ; {
		if c.stopped() {
			return at, c.interrupted(c.dst)
		}
		at = c.skipHole(at)
		a, err := c.read(sourceSide, at)
		if err != nil {
			return at, &Problem{What: Read, Source: c.src.at.Path(), Err: err}
		}
		b, err := c.read(destSide, at)
		if err != nil {
			return at, &Problem{What: ReadBack, Dest: c.dst.at.Path(), Err: err}
		}
		if !c.dst.regular() && len(b) > len(a) {
			b = b[:len(a)]
		}
		if !bytes.Equal(a, b) {
			return at, c.differs(at + int64(firstDifference(a, b)))
		}
		at += int64(len(a))
		if len(a) < compareBlock {
			return at, nil
		}
	}
}

func (c *comparison) differs(at int64) *Problem {
	return &Problem{
		What: Differs, Source: c.src.at.Path(), Dest: c.dst.at.Path(),
		Err: plainError(fmt.Sprintf("at byte %d", at)),
	}
}

func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// read reads the block at an offset; it is shorter at the end of the file.
func (c *comparison) read(side int, at int64) ([]byte, error) {
	f, buf := c.src, c.compared[:compareBlock]
	if side == destSide {
		f, buf = c.dst, c.compared[compareBlock:]
	}
	n, err := place.Pread(f.fd, buf, at)
	if err == unix.EINVAL && c.direct[side] {
		// Some filesystems say so only now, or behind an odd end of the file.
		c.direct[side] = n > 0
		if err := setDirect(f.fd, false); err != nil {
			return nil, err
		}
		n, err = place.Pread(f.fd, buf, at)
	}
	return buf[:n], err
}

// skipHole returns where the data begins, at or behind an offset, if it is a
// hole of both files up to there. Both are on disk, so that what is called a
// hole is one.
func (c *comparison) skipHole(at int64) int64 {
	if !looksSparse(c.src) || !c.dst.regular() {
		return at
	}
	next := min(nextData(c.src, at), nextData(c.dst, at))
	return max(at, next/compareBlock*compareBlock)
}

func nextData(f *file, at int64) int64 {
	data, err := unix.Seek(f.fd, at, unix.SEEK_DATA)
	switch err {
	case nil:
		return data
	case unix.ENXIO:
		end, err := unix.Seek(f.fd, 0, unix.SEEK_END)
		if err == nil {
			return end
		}
	}
	return at
}
