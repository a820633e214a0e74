package filecopy

import "golang.org/x/sys/unix"

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
	err := unix.Fallocate(dst.fd, unix.FALLOC_FL_KEEP_SIZE, 0, src.stat.Size)
	if err != unix.ENOSPC && err != unix.EDQUOT && err != unix.EFBIG {
		return nil // there is, or writing will say so
	}
	// What it has reserved until then goes; nobody shall see that it was there.
	ftruncate(dst.fd, dst.stat.Size)
	handle{dst.fd, dst.at}.touch(dst.stat.Atim, dst.stat.Mtim)
	return &Problem{What: NoRoom, Dest: dst.at.path(), Err: err}
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
