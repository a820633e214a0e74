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

// A system makes the calls of one copy, and counts them. The number of bytes that a
// call returns is never negative, also beside an error.
type system struct {
	*kernel
	claims *claims // of the Copier
	calls  int64
	stuck  int      // waits since the last byte moved
	again  struct { // EAGAINs in a row of a descriptor that is not nonblocking
		fd, count int
	}
}

// retry repeats a call that a signal interrupted. On CIFS and FUSE the signals of the Go
// scheduler do. Every call of a copy goes through here and is counted.
func retry[T any](s *system, call func() (T, error)) (T, error) {
	for {
		result, err := call()
		s.calls++
		if err != unix.EINTR {
			return result, err
		}
	}
}

// retryErr is retry for a call that returns only an error.
func retryErr(s *system, call func() error) error {
	_, err := retry(s, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// retryCount is retry for a call that returns -1 beside an error.
func retryCount(s *system, call func() (int, error)) (int, error) {
	n, err := retry(s, call)
	return max(n, 0), err
}

func (s *system) read(fd int, p []byte) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.read(fd, p) })
}

func (s *system) write(fd int, p []byte) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.write(fd, p) })
}

func (s *system) readUncached(fd int, p []byte) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.readUncached(fd, p) })
}

func (s *system) writeUncached(fd int, p []byte) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.writeUncached(fd, p) })
}

func (s *system) pread(fd int, p []byte, offset int64) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.pread(fd, p, offset) })
}

func (s *system) pwrite(fd int, p []byte, offset int64) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.pwrite(fd, p, offset) })
}

func (s *system) recordLength(fd int) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.recordLength(fd) })
}

func (s *system) splice(in, out place, n, flags int) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.splice(in, out, n, flags) })
}

func (s *system) tee(in, out, n int) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.tee(in, out, n) })
}

func (s *system) copyFileRange(in, out place, n int) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.copyFileRange(in, out, n) })
}

func (s *system) sendfile(out int, in place, n int) (int, error) {
	return retryCount(s, func() (int, error) { return s.kernel.sendfile(out, in, n) })
}

func (s *system) clone(out, in int, n int64) error {
	return retryErr(s, func() error { return s.kernel.clone(out, in, n) })
}

func (s *system) size(fd int) (int64, error) {
	return retry(s, func() (int64, error) { return s.kernel.size(fd) })
}

func (s *system) filesystem(fd int) (int64, error) {
	return retry(s, func() (int64, error) { return s.kernel.filesystem(fd) })
}

func (s *system) seek(fd int, offset int64, whence int) (int64, error) {
	return retry(s, func() (int64, error) { return s.kernel.seek(fd, offset, whence) })
}

func (s *system) flags(fd int) (int, error) {
	return retry(s, func() (int, error) { return s.kernel.flags(fd) })
}

func (s *system) fileSizeLimit() int64 {
	s.calls++
	return s.kernel.fileSizeLimit()
}

func (s *system) setPipeSize(fd, size int) (int, error) {
	return retry(s, func() (int, error) { return s.kernel.setPipeSize(fd, size) })
}

func (s *system) pipeSize(fd int) (int, error) {
	return retry(s, func() (int, error) { return s.kernel.pipeSize(fd) })
}

func (s *system) unread(fd int) (int, error) {
	return retry(s, func() (int, error) { return s.kernel.unread(fd) })
}

// allocate is not repeated after EINTR: a copy can do without, and fallocate(2) on a
// busy filesystem may return EINTR again and again.
func (s *system) allocate(fd int, offset, n int64) error {
	s.calls++
	return s.kernel.allocate(fd, offset, n)
}

func (s *system) advise(fd int) error {
	return retryErr(s, func() error { return s.kernel.advise(fd) })
}

func (s *system) syncRange(fd int, offset, n int64, flags int) error {
	return retryErr(s, func() error { return s.kernel.syncRange(fd, offset, n, flags) })
}

func (s *system) dropCache(fd int, offset, n int64) error {
	return retryErr(s, func() error { return s.kernel.dropCache(fd, offset, n) })
}

func (s *system) mmap(fd int, offset int64, n int) ([]byte, error) {
	return retry(s, func() ([]byte, error) { return s.kernel.mmap(fd, offset, n) })
}

func (s *system) munmap(p []byte) error {
	return retryErr(s, func() error { return s.kernel.munmap(p) })
}

func (s *system) alignment(fd int) int {
	s.calls++
	return s.kernel.alignment(fd)
}

func (s *system) yield() {
	s.calls++
	s.kernel.yield()
}

// close is not repeated: after EINTR the descriptor is closed, too.
func (s *system) close(fd int) {
	s.calls++
	_ = s.kernel.close(fd)
}

// pipe makes a pipe of high descriptors.
func (s *system) pipe() (r, w int, err error) {
	_ = retryErr(s, func() error {
		r, w, err = s.kernel.pipe()
		return err
	})
	if err != nil {
		return -1, -1, err
	}
	if r, err = s.lift(r); err != nil {
		s.close(w)
		return -1, -1, err
	}
	if w, err = s.lift(w); err != nil {
		s.close(r)
		return -1, -1, err
	}
	return r, w, nil
}

// reopen opens the file of a descriptor once more, as a high descriptor.
func (s *system) reopen(fd, flags int) (int, error) {
	low, err := retry(s, func() (int, error) { return s.kernel.reopen(fd, flags) })
	if err != nil {
		return -1, err
	}
	return s.lift(low)
}

// highDescriptor is the lowest number of a private descriptor, above those that scripts
// use: a user's /proc/self/fd/3 must not be our pipe. Where the limit on descriptors is
// lower, firstDescriptor keeps them above 2.
const (
	highDescriptor  = 200
	firstDescriptor = 3
)

// lift moves a descriptor to a high number, and closes the old one, also on failure.
func (s *system) lift(fd int) (int, error) {
	defer s.close(fd)
	high, err := retry(s, func() (int, error) { return s.kernel.lift(fd, highDescriptor) })
	if err != nil { // EINVAL: beyond RLIMIT_NOFILE; EMFILE: none free up there
		return retry(s, func() (int, error) { return s.kernel.lift(fd, firstDescriptor) })
	}
	return high, nil
}

// poll returns false after timeout milliseconds; -1 is no limit.
func (s *system) poll(fd int, events int16, timeout int) (bool, error) {
	n, err := s.pollAll([]unix.PollFd{{Fd: int32(fd), Events: events}}, timeout)
	return n > 0, err
}

// pollAll returns how many of fds are ready.
func (s *system) pollAll(fds []unix.PollFd, timeout int) (int, error) {
	return retry(s, func() (int, error) { return s.kernel.poll(fds, timeout) })
}

// awaits reports whether to wait after an EAGAIN of fd: it is nonblocking. EAGAIN of a
// blocking descriptor is final: its own time limit has expired (SO_RCVTIMEO,
// SO_SNDTIMEO), or its filesystem returns it. The call is repeated once, since another
// process that shares the descriptor may have changed O_NONBLOCK meanwhile.
func (s *system) awaits(fd int) (wait, final bool) {
	flags, err := s.flags(fd)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		s.again.count = 0
		return true, false // an error is poll's to tell
	}
	if s.again.fd != fd {
		s.again.fd, s.again.count = fd, 0
	}
	s.again.count++
	return false, s.again.count > 1
}

// moved is called when bytes have moved: it resets the counts of EAGAINs.
func (s *system) moved() { s.stuck, s.again.count = 0, 0 }

// patience is how many times in a row poll may report a descriptor ready that then
// returns EAGAIN. After that the copy sleeps each time: a wrong driver must not cost a
// whole CPU.
const patience = 16

// wait blocks until fd is ready for events, or has an error that the next call
// on it will return.
func (s *system) wait(fd int, events int16) error {
	s.stuck++
	if s.stuck > patience {
		s.sleep(time.Millisecond)
	}
	_, err := s.poll(fd, events, -1)
	return err
}
