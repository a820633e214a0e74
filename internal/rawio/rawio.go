// Package rawio writes messages and small data to descriptors. Bulk data goes
// through package splice.
package rawio

import "golang.org/x/sys/unix"

// WriteAll writes p to a descriptor that may be interrupted, take less, or be
// nonblocking because another process made it so. The error is write(2)'s.
func WriteAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		switch err {
		case nil:
			p = p[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1) // the next write tells
		default:
			return err
		}
	}
	return nil
}
