package endpoint

import (
	"time"

	"golang.org/x/sys/unix"
)

// openFIFO opens a FIFO when somebody has its other end, as open(2) does, but
// without a thread that waits in it. The error is ETIMEDOUT after the timeout.
func (o *Opener) openFIFO(path string, flags int) (int, error) {
	end := noLimit
	if o.Timeout > 0 {
		end = time.Now().Add(o.Timeout)
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		fd, err := open(path, flags|unix.O_NONBLOCK)
		if err == nil && flags&unix.O_ACCMODE == unix.O_RDONLY {
			return fd, o.awaitWriter(fd, end)
		}
		if err != unix.ENXIO {
			return fd, err
		}
		if !end.IsZero() && time.Now().After(end) {
			return -1, unix.ETIMEDOUT
		}
		if _, err := o.poll([]unix.PollFd{{Fd: -1}}, pause); err != nil {
			return -1, err
		}
	}
}

// awaitWriter waits until a FIFO has data, or had a writer that is gone: before
// that read(2) would say that this is the end. It closes the FIFO on an error.
func (o *Opener) awaitWriter(fd int, end time.Time) error {
	limit := time.Duration(-1)
	if !end.IsZero() {
		limit = max(0, time.Until(end))
	}
	n, err := o.poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, limit)
	if err == nil && n == 0 {
		err = unix.ETIMEDOUT
	}
	if err != nil {
		_ = o.close(fd)
	}
	return err
}

func isFIFO(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO
}
