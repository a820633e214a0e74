package tool

import "golang.org/x/sys/unix"

// Open is open(2) with O_CLOEXEC, tried again when a signal interrupts it: the
// Go scheduler's own signals do that to an open that waits, of a FIFO or of a
// file on a network filesystem. The descriptor stays what it is, blocking and
// unknown to the runtime's poller.
func Open(name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Open(name, flags|unix.O_CLOEXEC, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
