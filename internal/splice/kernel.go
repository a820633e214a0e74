package splice

import (
	"time"

	"golang.org/x/sys/unix"
)

// kernel is the table of system calls that a copy makes. Tests put their own
// functions in it, so that every short count and every errno can be had.
// Offsets are the descriptors' own unless named.
type kernel struct {
	read          func(fd int, p []byte) (int, error)
	write         func(fd int, p []byte) (int, error)
	pread         func(fd int, p []byte, offset int64) (int, error)
	pwrite        func(fd int, p []byte, offset int64) (int, error)
	readUncached  func(fd int, p []byte) (int, error)
	writeUncached func(fd int, p []byte) (int, error)
	syncRange     func(fd int, offset, n int64, flags int) error
	dropCache     func(fd int, offset, n int64) error
	seek          func(fd int, offset int64, whence int) (int64, error)
	splice        func(in, out, n, flags int) (int, error)
	tee           func(in, out, n int) (int, error)
	copyFileRange func(in, out, n int) (int, error)
	sendfile      func(out, in, n int) (int, error)
	clone         func(out, in int) error
	poll          func(fds []unix.PollFd, timeout int) (int, error)
	pipe          func() (r, w int, err error)
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
	syncRange: unix.SyncFileRange,
	dropCache: func(fd int, offset, n int64) error { return unix.Fadvise(fd, offset, n, unix.FADV_DONTNEED) },
	seek:      unix.Seek,
	splice: func(in, out, n, flags int) (int, error) {
		moved, err := unix.Splice(in, nil, out, nil, n, flags)
		return int(moved), err
	},
	tee: func(in, out, n int) (int, error) {
		moved, err := unix.Tee(in, out, n, 0)
		return int(moved), err
	},
	copyFileRange: func(in, out, n int) (int, error) { return unix.CopyFileRange(in, nil, out, nil, n, 0) },
	sendfile:      func(out, in, n int) (int, error) { return unix.Sendfile(out, in, nil, n) },
	clone:         unix.IoctlFileClone,
	poll:          unix.Poll,
	pipe:          highPipe,
	setPipeSize:   func(fd, size int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, size) },
	pipeSize:      func(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0) },
	unread:        func(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) },
	reopen:        reopen,
	alignment:     directAlignment,
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

// system counts the calls of one copy and repeats those that a signal
// interrupted (the Go scheduler's own signals interrupt calls on CIFS and
// FUSE, too). A count is never negative, also beside an error.
type system struct {
	*kernel
	calls int64
	stuck int // waits since the last byte moved
}

// ended counts a call and reports whether it is over.
func (s *system) ended(err error) bool {
	s.calls++
	return err != unix.EINTR
}

func (s *system) read(fd int, p []byte) (int, error) {
	for {
		if n, err := s.kernel.read(fd, p); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) write(fd int, p []byte) (int, error) {
	for {
		if n, err := s.kernel.write(fd, p); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) readUncached(fd int, p []byte) (int, error) {
	for {
		if n, err := s.kernel.readUncached(fd, p); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) writeUncached(fd int, p []byte) (int, error) {
	for {
		if n, err := s.kernel.writeUncached(fd, p); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) pread(fd int, p []byte, offset int64) (int, error) {
	for {
		if n, err := s.kernel.pread(fd, p, offset); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) pwrite(fd int, p []byte, offset int64) (int, error) {
	for {
		if n, err := s.kernel.pwrite(fd, p, offset); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) splice(in, out, n, flags int) (int, error) {
	for {
		if n, err := s.kernel.splice(in, out, n, flags); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) tee(in, out, n int) (int, error) {
	for {
		if n, err := s.kernel.tee(in, out, n); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) copyFileRange(in, out, n int) (int, error) {
	for {
		if n, err := s.kernel.copyFileRange(in, out, n); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) sendfile(out, in, n int) (int, error) {
	for {
		if n, err := s.kernel.sendfile(out, in, n); s.ended(err) {
			return max(n, 0), err
		}
	}
}

func (s *system) clone(out, in int) error {
	for {
		if err := s.kernel.clone(out, in); s.ended(err) {
			return err
		}
	}
}

func (s *system) size(fd int) (int64, error) {
	for {
		if n, err := s.kernel.size(fd); s.ended(err) {
			return n, err
		}
	}
}

func (s *system) seek(fd int, offset int64, whence int) (int64, error) {
	s.calls++
	return s.kernel.seek(fd, offset, whence)
}

// poll returns false when the time ran out. timeout is in milliseconds, -1
// waits for ever.
func (s *system) poll(fd int, events int16, timeout int) (bool, error) {
	n, err := s.pollAll([]unix.PollFd{{Fd: int32(fd), Events: events}}, timeout)
	return n > 0, err
}

// pollAll returns how many of fds something has happened to.
func (s *system) pollAll(fds []unix.PollFd, timeout int) (int, error) {
	for {
		if n, err := s.kernel.poll(fds, timeout); s.ended(err) {
			return n, err
		}
	}
}

// patience is how many times in a row poll may call a descriptor ready that
// then answers EAGAIN, before the loop takes a nap each time: a device that
// never tells the truth must not cost a whole CPU.
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
