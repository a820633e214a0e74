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

// A pipe is a private pipe. Nobody else reads or writes it, so it is empty
// between two fills, and EAGAIN always comes from the other side.
type pipe struct {
	r, w     int
	capacity int // bytes that a fill may ask for
	held     int // bytes in the pipe that are not delivered yet
}

// newPipe fails with EMFILE or ENFILE when descriptors run out.
func newPipe(s *system, size int) (*pipe, error) {
	r, w, err := s.pipe()
	if err != nil {
		return nil, err
	}
	p := &pipe{r: r, w: w}
	if p.capacity, err = raise(s, w, size); err != nil {
		p.close(s)
		return nil, err
	}
	return p, nil
}

func (p *pipe) close(s *system) {
	s.close(p.r)
	s.close(p.w)
}

// RaisePipe makes the pipe at fd hold size bytes, and returns what it holds
// then (fcntl(2), F_SETPIPE_SZ, since Linux 2.6.35). It never lowers the
// capacity. Where the kernel refuses (EPERM beyond the user's or the system's
// limit) it asks for half, and half of that, and is content with what there
// is. The error is EBADF if fd is not a pipe.
func RaisePipe(fd, size int) (int, error) { return raise(&system{kernel: &host}, fd, size) }

func raise(s *system, fd, size int) (int, error) {
	has, err := s.pipeSize(fd)
	if err != nil {
		return 0, err
	}
	for ; size > has && size >= smallestPipe; size /= 2 {
		switch got, err := s.setPipeSize(fd, size); err {
		case nil:
			return got, nil
		case unix.EPERM, unix.ENOMEM:
		default: // EBUSY: it holds more than size; EINVAL: an old kernel
			return has, nil
		}
	}
	return has, nil
}
