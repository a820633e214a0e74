package splice

import "golang.org/x/sys/unix"

// uncached reads and writes, and leaves no pages of the copy in the page cache.
//
// With RWF_DONTCACHE (preadv2(2), since Linux 6.14) the kernel drops the pages that
// the call has added. Where a filesystem does not support it, posix_fadvise(2) drops
// the pages behind the copy, those that were cached before too. Pages of the sink
// have to be written to the disk first.
func uncached(t *transfer) error {
	t.in, t.out = newTrail(t.src), newTrail(t.dst)
	for t.left > 0 {
		p, err := t.nextBytes()
		if err != nil {
			return err
		}
		if len(p) == 0 {
			break
		}
		if err := t.writeSink(p); err != nil {
			return err
		}
		if err := t.dropBehind(int64(len(p)), trailBlock); err != nil {
			return err
		}
	}
	return t.dropBehind(0, 1)
}

// trailBlock is the number of bytes that are dropped at once. While one block is
// written to the disk, the next one is copied.
const trailBlock = 8 << 20

// A trail is the range of one file whose pages a copy has left in the page cache.
type trail struct {
	fd       int
	refused  bool  // RWF_DONTCACHE
	from     int64 // where the trail begins,
	flushing int64 // up to where it is being written to the disk,
	to       int64 // and where it ends
}

// newTrail returns nil for a descriptor without a page cache.
func newTrail(d *Descriptor) *trail {
	if d.Kind != Regular && d.Kind != Block {
		return nil
	}
	return &trail{fd: d.FD, from: d.Offset, flushing: d.Offset, to: d.Offset}
}

// refuse notes that one side does not take RWF_DONTCACHE.
func (t *transfer) refuse(side *trail, err error) {
	side.refused = true
	if t.method == Uncached {
		_ = t.fallBack(ReadWrite, err, t.dst.Kind) // Uncached is never all that is asked for
	}
}

// dropBehind lengthens the trails by n bytes, and drops those of at least block
// bytes.
func (t *transfer) dropBehind(n, block int64) error {
	for _, side := range []*trail{t.in, t.out} {
		if side == nil {
			continue
		}
		side.to += n
		if !side.refused || side.to-side.flushing < block {
			continue
		}
		if side == t.out {
			if err := t.flush(side, n == 0); err != nil {
				return err
			}
			continue
		}
		t.forget(side.fd, side.from, side.to-side.from)
		side.from, side.flushing = side.to, side.to
	}
	return nil
}

// flush starts to write the last block of the trail to the disk, and drops the blocks
// before it, or all of them.
func (t *transfer) flush(side *trail, all bool) error {
	const begin = unix.SYNC_FILE_RANGE_WRITE
	const finish = unix.SYNC_FILE_RANGE_WAIT_BEFORE | begin | unix.SYNC_FILE_RANGE_WAIT_AFTER
	done := side.flushing
	side.flushing = side.to
	if all {
		done = side.to
	} else if err := t.sync(side.fd, done, side.to-done, begin); err != nil {
		return err
	}
	if done == side.from {
		return nil
	}
	if err := t.sync(side.fd, side.from, done-side.from, finish); err != nil {
		return err
	}
	t.forget(side.fd, side.from, done-side.from)
	side.from = done
	return nil
}

// sync is sync_file_range(2). Some filesystems do not support it. The kernel reports
// an error of the disk once, so that error is returned.
func (t *transfer) sync(fd int, at, n int64, flags int) error {
	switch err := t.syncRange(fd, at, n, flags); err {
	case unix.EIO, unix.ENOSPC, unix.EDQUOT:
		return &WriteError{err}
	}
	return nil
}

// forget drops clean pages. The kernel may keep some.
func (t *transfer) forget(fd int, at, n int64) {
	_ = t.dropCache(fd, at, n)
}
