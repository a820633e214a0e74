package filecopy

import "golang.org/x/sys/unix"

// System calls as this package uses them: relative to a place, close-on-exec,
// and repeated when a signal interrupts them, which the Go scheduler's own
// signals do on CIFS and FUSE.

func openat(p place, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(p.fd(), p.name, flags|unix.O_CLOEXEC|unix.O_NOCTTY, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func fstatat(p place, st *unix.Stat_t, flags int) error {
	for {
		if err := unix.Fstatat(p.fd(), p.name, st, flags); err != unix.EINTR {
			return err
		}
	}
}

func fstat(fd int, st *unix.Stat_t) error {
	for {
		if err := unix.Fstat(fd, st); err != unix.EINTR {
			return err
		}
	}
}

func ftruncate(fd int, size int64) error {
	for {
		if err := unix.Ftruncate(fd, size); err != unix.EINTR {
			return err
		}
	}
}

func read(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// pwrite writes all of p.
func pwrite(fd int, p []byte, offset int64) error {
	for len(p) > 0 {
		n, err := unix.Pwrite(fd, p, offset)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return unix.EIO
		default:
			p, offset = p[n:], offset+int64(n)
		}
	}
	return nil
}

// readlinkat returns what a symbolic link holds, which lstat(2) says is size
// bytes long; on procfs that is not true.
func readlinkat(p place, size int64) (string, error) {
	for n := int(min(size, unix.PathMax)) + 1; ; n *= 2 {
		buf := make([]byte, n)
		got, err := unix.Readlinkat(p.fd(), p.name, buf)
		if err != nil {
			return "", err
		}
		if got < n {
			return string(buf[:got]), nil
		}
	}
}

// isLink reports whether a symbolic link is there.
func isLink(p place) bool {
	_, err := unix.Readlinkat(p.fd(), p.name, make([]byte, 1))
	return err == nil
}

func fsync(fd int) error {
	for {
		if err := unix.Fsync(fd); err != unix.EINTR {
			return err
		}
	}
}

// pread reads until p is full or the file ends.
func pread(fd int, p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		got, err := unix.Pread(fd, p[n:], offset+int64(n))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, err
		case got == 0:
			return n, nil
		default:
			n += got
		}
	}
	return n, nil
}

// renameat is renameat2(2), without flags where the filesystem has none.
func renameat(from, to place, flags uint) (err error) {
	for {
		if flags == 0 {
			err = unix.Renameat(from.fd(), from.name, to.fd(), to.name)
		} else {
			err = unix.Renameat2(from.fd(), from.name, to.fd(), to.name, flags)
		}
		switch {
		case err == unix.EINTR:
		case flags != 0 && (err == unix.EINVAL || err == unix.ENOSYS):
			flags = 0
		default:
			return err
		}
	}
}

// linkat gives the file at a place, be it a symbolic link, another name; with
// AT_SYMLINK_FOLLOW what a link leads to.
func linkat(from, to place, flags int) error {
	for {
		if err := unix.Linkat(from.fd(), from.name, to.fd(), to.name, flags); err != unix.EINTR {
			return err
		}
	}
}

func unlinkat(p place, flags int) error {
	for {
		if err := unix.Unlinkat(p.fd(), p.name, flags); err != unix.EINTR {
			return err
		}
	}
}
