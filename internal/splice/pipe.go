package splice

import "golang.org/x/sys/unix"

// DefaultPipeSize is the capacity asked for a private pipe, in bytes: the
// largest that an unprivileged user may have unless the administrator says
// otherwise (fs.pipe-max-size). Measured: 64 KiB pipes give 3.3 GB/s from file
// to file, 256 KiB 3.75, 1 MiB 4.3 (scripts/bench).
const DefaultPipeSize = 1 << 20

// smallestPipe is the capacity below which asking for less is not worth a
// call: two pages, what a user beyond the soft limit is given.
const smallestPipe = 2 * 4096

// A pipe is a private one: nobody else reads or writes it, so it is empty
// between two fills, and EAGAIN always comes from the other side.
type pipe struct {
	r, w     int
	capacity int // bytes that a fill may ask for
	held     int // bytes in the pipe that are not delivered yet
}

// newPipe fails with EMFILE or ENFILE when descriptors run out.
func newPipe(s *system, size int) (*pipe, error) {
	s.calls += 5 // pipe2, and two F_DUPFD_CLOEXEC and close
	r, w, err := s.kernel.pipe()
	if err != nil {
		return nil, err
	}
	p := &pipe{r: r, w: w}
	p.capacity, err = raise(s.kernel, w, size)
	s.calls++
	if err != nil {
		p.close(s.kernel)
		return nil, err
	}
	return p, nil
}

func (p *pipe) close(k *kernel) {
	k.close(p.r)
	k.close(p.w)
}

// RaisePipe makes the pipe at fd hold size bytes, and returns what it holds
// then (fcntl(2), F_SETPIPE_SZ, since Linux 2.6.35). It never lowers the
// capacity. Where the kernel refuses (EPERM beyond the user's or the system's
// limit) it asks for half, and half of that, and is content with what there
// is. The error is EBADF if fd is not a pipe.
func RaisePipe(fd, size int) (int, error) { return raise(&host, fd, size) }

func raise(k *kernel, fd, size int) (int, error) {
	has, err := k.pipeSize(fd)
	if err != nil {
		return 0, err
	}
	for ; size > has && size >= smallestPipe; size /= 2 {
		switch got, err := k.setPipeSize(fd, size); err {
		case nil:
			return got, nil
		case unix.EPERM, unix.ENOMEM:
		default: // EBUSY: it holds more than size; EINVAL: an old kernel
			return has, nil
		}
	}
	return has, nil
}

// highDescriptor is where private descriptors start, beyond what scripts
// number by hand: a user's /proc/self/fd/3 must not name our pipe. Where the
// limit on descriptors is lower, firstDescriptor keeps them off 0 to 2.
const (
	highDescriptor  = 200
	firstDescriptor = 3
)

func highPipe() (r, w int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, err
	}
	if r, err = lift(fds[0]); err != nil {
		unix.Close(fds[1])
		return -1, -1, err
	}
	if w, err = lift(fds[1]); err != nil {
		unix.Close(r)
		return -1, -1, err
	}
	return r, w, nil
}

// lift moves a descriptor up and closes the old number, also on failure.
func lift(fd int) (int, error) {
	defer unix.Close(fd)
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, highDescriptor)
	if err != nil { // EINVAL: beyond RLIMIT_NOFILE; EMFILE: none free up there
		return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, firstDescriptor)
	}
	return high, nil
}
