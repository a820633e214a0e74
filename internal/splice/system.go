package splice

import (
	"time"

	"golang.org/x/sys/unix"
)

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
