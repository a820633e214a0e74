package splice

import "golang.org/x/sys/unix"

// Options say how [Copier.Copy] and [Copier.CopyBuffered] copy. The zero value
// copies to the end of the source by the methods of [Plan].
type Options struct {
	// Method is the only one to use, or Auto. A method that cannot serve is an
	// [UnservedError].
	Method Method
	// Limit is the number of bytes to copy at most; 0 is no limit.
	Limit int64
	// Alone says that the sink is empty, and that only this copy writes to it.
	// Without it an SMB server is not asked to copy: see mixesBadly.
	Alone bool
	// NoOffload forbids reflink and copy_file_range, so that the sink has
	// blocks of its own (cp --reflink=never).
	NoOffload bool
	// Direct reads and writes files past the page cache (O_DIRECT). NoCache leaves
	// no pages of the copy in the page cache (uncached.go). If both are set, Direct
	// is tried first. Where a filesystem supports neither, the copy is made without
	// them. They need the Method Auto.
	Direct, NoCache bool
	// Preallocate reserves blocks for the rest of a regular source beyond the
	// sink's end (fallocate(2) with FALLOC_FL_KEEP_SIZE), where that is faster. The
	// sink must be the caller's own file, and the caller has to truncate it to its
	// length if the copy ends early.
	Preallocate bool
	// Stable makes a pipe's reader get the bytes of a regular file as they
	// were when they were copied, also if the file is written to before the
	// reader reads: see lease.go.
	Stable bool
	// Limiter, if set, limits the rate. Reflink and Direct do not serve then.
	Limiter *Limiter
	// Activity, if set, tells other goroutines what the copy waits for.
	Activity *Activity
	// Wait, if set, replaces poll(2). It returns true when fd is ready for events,
	// and false after timeout milliseconds; -1 is no limit. Its error ends the
	// copy and is returned as it is. It is also called before a blocking source
	// is read that may keep the call waiting.
	Wait func(fd int, events int16, timeout int) (ready bool, err error)
	// Progress is told, after every system call that delivered something, how
	// many bytes it delivered. An error from it ends the copy.
	Progress func(n int64) error
}

// smallFile is the size in bytes up to which read and write into a buffer are
// fewer system calls, and less time, than filling and draining a pipe
// (scripts/bench, case small).
const smallFile = 64 << 10

// Plan returns the methods to try, in order. It depends on its arguments only. The
// error is an [UnservedError] if Options.Method cannot serve the pair.
func Plan(dst, src *Descriptor, o Options) ([]Method, error) {
	if src.Kind == Directory || src.inUse || dst.inUse {
		return []Method{ReadWrite}, nil // a directory for its read error, the others: see shared.go
	}
	if o.Method != Auto {
		if !serves(o.Method, dst, src, o) {
			return nil, &UnservedError{Method: o.Method, Src: src.Kind, Dst: dst.Kind}
		}
		return []Method{o.Method}, nil
	}
	plan := make([]Method, 0, 5)
	for _, m := range preferred(dst, src, o) {
		if serves(m, dst, src, o) {
			plan = append(plan, m)
		}
	}
	return append(plan, ReadWrite), nil
}

// preferred returns the methods that may be faster than read and write, fastest first.
func preferred(dst, src *Descriptor, o Options) []Method {
	shares := !o.NoOffload && offloads(src.FS) && src.FS == dst.FS && (o.Alone || !mixesBadly(dst.FS))
	if o.Direct || o.NoCache {
		return pastTheCache(src, o, shares)
	}
	small := src.Kind == Regular && src.Remaining() <= smallFile || src.isNull()
	switch {
	case shares && small:
		return []Method{Reflink}
	case small:
		return nil
	case shares:
		return []Method{Reflink, CopyFileRange, Splice, Sendfile}
	default:
		return []Method{Splice, Sendfile} // sendfile where no pipe is to be had
	}
}

// pastTheCache returns the methods for Direct and NoCache. A file shorter than a block
// is not read directly.
func pastTheCache(src *Descriptor, o Options, shares bool) (plan []Method) {
	if shares {
		plan = append(plan, Reflink)
	}
	if o.Direct && (src.Kind != Regular || src.Remaining() >= defaultAlignment) {
		plan = append(plan, Direct)
	}
	if o.NoCache {
		plan = append(plan, Uncached)
	}
	return plan
}

// serves reports whether m may be able to move bytes from src to dst.
func serves(m Method, dst, src *Descriptor, o Options) bool {
	files := src.Kind == Regular && dst.Kind == Regular
	switch m {
	case Reflink:
		whole := src.Offset == 0 && o.Limit == 0 && dst.Offset == 0 && dst.Stat.Size == 0
		return files && whole && !dst.Appends() && oneFilesystem(dst, src) && !o.NoOffload && !o.Limiter.limits()
	case CopyFileRange:
		return files && !dst.Appends() && !o.NoOffload
	case Sendfile:
		return (src.Kind == Regular || src.Kind == Block) && !dst.Appends() && !dst.sharesOffset() && !referencesPages(dst, src, o)
	case Splice:
		return src.splices() && dst.splices() && !dst.Appends() && !referencesPages(dst, src, o)
	case Mmap:
		return src.Kind == Regular
	case Uncached:
		return o.NoCache && !dst.Appends()
	case Direct:
		return (src.Kind == Regular || src.Kind == Block) && (dst.Kind == Regular || dst.Kind == Block) && !dst.Appends() && !o.Limiter.limits()
	}
	return m == ReadWrite
}

// oneFilesystem reports whether two files may lie on the same filesystem: the
// subvolumes of a btrfs have device numbers of their own.
func oneFilesystem(dst, src *Descriptor) bool {
	return src.Stat.Dev == dst.Stat.Dev || src.FS == unix.BTRFS_SUPER_MAGIC && dst.FS == unix.BTRFS_SUPER_MAGIC
}

// referencesPages reports whether a stable copy would leave references to a
// file's pages in the sink where no lease guards them. [Copier.Copy] guards a
// regular file's way into a pipe itself.
func referencesPages(dst, src *Descriptor, o Options) bool {
	return o.Stable && (src.Kind == Regular || src.Kind == Block) && (dst.Kind == Pipe || dst.Kind == Socket)
}

// offloads reports whether a filesystem has its own copy_file_range, which
// shares extents or copies on the server. Elsewhere the call is a splice
// through a 16-page pipe, slower than ours.
func offloads(fs int64) bool {
	switch fs {
	case unix.BTRFS_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.OCFS2_SUPER_MAGIC,
		unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC,
		unix.CEPH_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC, bcachefsMagic, zfsMagic:
		return true
	}
	return false
}

// mixesBadly reports whether a filesystem corrupts a file of which a part was
// written through the page cache and another was copied by the server. CIFS of
// Linux 5.10 does: after write(2) and copy_file_range(2) into one file, 100
// bytes or a page of what was written are zeros, at the server too. Linux 6.1
// was right each time (scripts/kernels.sh, test fs/cifs).
func mixesBadly(fs int64) bool {
	return fs == unix.CIFS_SUPER_MAGIC || fs == unix.SMB2_SUPER_MAGIC
}

const (
	bcachefsMagic = 0xca451a4e // include/uapi/linux/magic.h of bcachefs kernels
	zfsMagic      = 0x2fc12fc1 // OpenZFS, include/os/linux/spl/sys/vfs.h
)

// preallocates reports whether reserving the blocks first makes a copy faster.
// Measured for 512 MiB through a 1 MiB pipe: ext4 4.3 -> 5.8 GB/s; XFS no
// difference; btrfs loses its compression.
func preallocates(fs int64) bool { return fs == unix.EXT4_SUPER_MAGIC }

// cpuCopies is how many times a CPU copies each byte that m moves.
func cpuCopies(m Method, dst, src *Descriptor) int64 {
	switch m {
	case ReadWrite, Uncached:
		return 2
	case Mmap:
		return 1
	case CopyFileRange:
		if offloads(src.FS) && src.FS == dst.FS {
			return 0
		}
		return 1
	case Sendfile, Splice:
		return generated(src.Kind) + stored(dst.Kind)
	}
	return 0
}

// generated is 1 for a source whose bytes are made on demand, 0 for one whose
// pages a pipe can refer to.
func generated(k Kind) int64 {
	if k == Character {
		return 1
	}
	return 0
}

// stored is 1 for a sink that copies a pipe's pages into its page cache.
func stored(k Kind) int64 {
	if k == Regular || k == Block {
		return 1
	}
	return 0
}
