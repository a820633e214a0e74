package filecopy

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// worthAsking is the size in bytes from which it is asked whether there is room
// for a file. Before that, writing finds out as fast.
const worthAsking = 1 << 20

// noRoom refuses a copy that cannot fit, before anything of it is written and
// while dst still has its old contents. That there is room may turn out wrong;
// that there is none is certain, since it is the filesystem's answer to the
// wish for the blocks: only if its free blocks look too few is it asked.
func (w *worker) noRoom(dst, src *file) *Problem {
	need := src.stat.Size - dst.stat.Blocks*512
	if need < worthAsking || !src.regular() || !dst.regular() || !reserves(w.devices.filesystem(dst)) || w.takesLess(dst, src) {
		return nil
	}
	var fs unix.Statfs_t
	if unix.Fstatfs(dst.fd, &fs) != nil || fs.Blocks == 0 || uint64(need)/uint64(fs.Frsize) < fs.Bavail {
		return nil
	}
	// What is lacking is asked for behind the end of the file: blocks that filled
	// its holes could not be told from its own afterwards.
	behind := (dst.stat.Size + zeroBlock - 1) / zeroBlock * zeroBlock
	err := unix.Fallocate(dst.fd, unix.FALLOC_FL_KEEP_SIZE, behind, need)
	if err != unix.ENOSPC && err != unix.EDQUOT && (err != unix.EFBIG || behind > 0) {
		return nil // there is, or writing will say so
	}
	// What it has reserved until then goes; nobody shall see that it was there.
	place.Ftruncate(dst.fd, dst.stat.Size)
	attr.Opened(dst.fd, dst.at).Touch(dst.stat.Atim, dst.stat.Mtim)
	return &Problem{What: NoRoom, Dest: dst.at.Path(), Err: err}
}

// takesLess reports whether a copy may need fewer blocks than its size.
func (w *worker) takesLess(dst, src *file) bool {
	if w.makesHoles(src) || w.options.Data.Reflink == ReflinkAlways {
		return true
	}
	s := w.describe(src)
	return w.clones(w.describe(&file{fd: dst.fd, stat: unix.Stat_t{Dev: dst.stat.Dev, Mode: unix.S_IFREG}}), s, w.transfer(s))
}

// reserves are the filesystems on which reserved blocks are as many as written
// ones. Those that compress may need fewer for data.
func reserves(magic int64) bool {
	switch magic {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}

// A supply is the room on a filesystem that no worker was given yet.
type supply struct {
	dev   uint64
	bytes int64
	files int64
}

// perFile is what the name and the inode of a file may need, in bytes, besides
// its data.
const perFile = 8 << 10

// affords reports whether there is room for a file besides those that workers
// have been given. Otherwise which files are copied would not be decided by their
// order; so they are done first, and where that is not enough, or there was no
// room for one of them after all, the walk copies one file after the other.
func (c *Copier) affords(e *entry) bool {
	if c.crew.full.Load() {
		c.settle()
		return false
	}
	need := e.stat.Size
	if c.options.Data.Sparse != SparseNever {
		need = min(need, e.stat.Blocks*512)
	}
	need += perFile
	if s := &c.crew.supply; s.dev == e.dst.Dir.ID.Dev && s.take(need) {
		return true
	}
	c.settle()
	s := supplyOf(e.dst.Dir)
	enough := s.take(need)
	c.crew.supply = s
	return enough
}

// take returns false if there is not enough.
func (s *supply) take(bytes int64) bool {
	if s.bytes < bytes || s.files < 1 {
		return false
	}
	s.bytes -= bytes
	s.files--
	return true
}

// supplyOf asks a filesystem how much room it has. Some do not say.
func supplyOf(d *place.Directory) supply {
	s := supply{d.ID.Dev, math.MaxInt64, math.MaxInt64}
	var fs unix.Statfs_t
	if unix.Fstatfs(d.FD, &fs) != nil {
		return s
	}
	if fs.Blocks > 0 {
		s.bytes = int64(min(fs.Bavail, math.MaxInt64/uint64(fs.Frsize))) * int64(fs.Frsize)
	}
	if fs.Files > 0 {
		s.files = int64(min(fs.Ffree, math.MaxInt64))
	}
	return s
}

// heed has the walk go on alone if there was no room.
func (r *crew) heed(p *Problem) {
	if r != nil && (errors.Is(p, unix.ENOSPC) || errors.Is(p, unix.EDQUOT)) {
		r.full.Store(true)
	}
}
