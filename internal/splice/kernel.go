package splice

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// kernel is the table of system calls that a copy makes. Tests replace them, to get
// every short count and every errno.
type kernel struct {
	read          func(fd int, p []byte) (int, error)
	write         func(fd int, p []byte) (int, error)
	pread         func(fd int, p []byte, offset int64) (int, error)
	pwrite        func(fd int, p []byte, offset int64) (int, error)
	readUncached  func(fd int, p []byte) (int, error)
	writeUncached func(fd int, p []byte) (int, error)
	recordLength  func(fd int) (int, error)
	syncRange     func(fd int, offset, n int64, flags int) error
	dropCache     func(fd int, offset, n int64) error
	seek          func(fd int, offset int64, whence int) (int64, error)
	flags         func(fd int) (int, error)
	fileSizeLimit func() int64
	splice        func(in, out place, n, flags int) (int, error)
	tee           func(in, out, n int) (int, error)
	copyFileRange func(in, out place, n int) (int, error)
	sendfile      func(out int, in place, n int) (int, error)
	clone         func(out, in int, n int64) error
	poll          func(fds []unix.PollFd, timeout int) (int, error)
	pipe          func() (r, w int, err error)
	lift          func(fd, least int) (int, error)
	setPipeSize   func(fd, size int) (int, error)
	pipeSize      func(fd int) (int, error)
	unread        func(fd int) (int, error)
	reopen        func(fd, flags int) (int, error)
	alignment     func(fd int) int
	allocate      func(fd int, offset, n int64) error
	advise        func(fd int) error
	mmap          func(fd int, offset int64, n int) ([]byte, error)
	munmap        func(p []byte) error
	size          func(fd int) (int64, error)
	filesystem    func(fd int) (int64, error)
	setLease      func(fd, kind int) error
	lease         func(fd int) (int, error)
	leaseTime     func() time.Duration
	close         func(fd int) error
	sleep         func(time.Duration)
	yield         func()
	now           func() time.Time
}

// A place is where a call reads or writes: at the file offset of a descriptor, which it
// moves, or at an explicit offset.
type place struct {
	fd int
	at int64 // ownOffset, or the offset in bytes
}

const ownOffset = -1

// own is the place at a descriptor's own offset.
func own(fd int) place { return place{fd, ownOffset} }

// offset is what the system call takes: nil for the descriptor's own.
func (p place) offset() *int64 {
	if p.at == ownOffset {
		return nil
	}
	return &p.at
}

// host is the real kernel.
var host = kernel{
	read:   unix.Read,
	write:  unix.Write,
	pread:  unix.Pread,
	pwrite: unix.Pwrite,
	readUncached: func(fd int, p []byte) (int, error) {
		return unix.Preadv2(fd, [][]byte{p}, -1, unix.RWF_DONTCACHE)
	},
	writeUncached: func(fd int, p []byte) (int, error) {
		return unix.Pwritev2(fd, [][]byte{p}, -1, unix.RWF_DONTCACHE)
	},
	syncRange:    unix.SyncFileRange,
	dropCache:    func(fd int, offset, n int64) error { return unix.Fadvise(fd, offset, n, unix.FADV_DONTNEED) },
	recordLength: recordLength,
	seek:         unix.Seek,
	fileSizeLimit: func() int64 {
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil || limit.Cur > math.MaxInt64 {
			return math.MaxInt64
		}
		return max(1, int64(limit.Cur)) // 0 would be asked again and again
	},
	flags: func(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0) },
	splice: func(in, out place, n, flags int) (int, error) {
		moved, err := unix.Splice(in.fd, in.offset(), out.fd, out.offset(), n, flags)
		return int(moved), err
	},
	tee: func(in, out, n int) (int, error) {
		moved, err := unix.Tee(in, out, n, 0)
		return int(moved), err
	},
	copyFileRange: func(in, out place, n int) (int, error) {
		return unix.CopyFileRange(in.fd, in.offset(), out.fd, out.offset(), n, 0)
	},
	sendfile: func(out int, in place, n int) (int, error) { return unix.Sendfile(out, in.fd, in.offset(), n) },
	clone: func(out, in int, n int64) error {
		if n == 0 {
			return unix.IoctlFileClone(out, in)
		}
		return unix.IoctlFileCloneRange(out, &unix.FileCloneRange{Src_fd: int64(in), Src_length: uint64(n)})
	},
	poll: unix.Poll,
	pipe: func() (r, w int, err error) {
		var fds [2]int
		err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
		return fds[0], fds[1], err
	},
	lift:        func(fd, least int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, least) },
	setPipeSize: func(fd, size int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, size) },
	pipeSize:    func(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0) },
	unread:      func(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) },
	reopen:      reopen,
	alignment:   directAlignment,
	allocate: func(fd int, offset, n int64) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, offset, n)
	},
	advise: func(fd int) error { return unix.Fadvise(fd, 0, 0, unix.FADV_SEQUENTIAL) },
	mmap: func(fd int, offset int64, n int) ([]byte, error) {
		return unix.Mmap(fd, offset, n, unix.PROT_READ, unix.MAP_SHARED)
	},
	munmap: unix.Munmap,
	size: func(fd int) (int64, error) {
		var st unix.Stat_t
		err := unix.Fstat(fd, &st)
		return st.Size, err
	},
	filesystem: func(fd int) (int64, error) {
		var fs unix.Statfs_t
		err := unix.Fstatfs(fd, &fs)
		return int64(uint32(fs.Type)), err // of 32 bits; negative where Type is an int32
	},
	setLease:  setLease,
	lease:     func(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_GETLEASE, 0) },
	leaseTime: leaseBreakTime,
	close:     unix.Close,
	sleep:     time.Sleep,
	yield:     yield,
	now:       time.Now,
}

// yield is sched_yield(2), which does not block.
func yield() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
