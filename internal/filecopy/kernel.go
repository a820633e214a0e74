package filecopy

import (
	"cmp"

	"golang.org/x/sys/unix"
)

// System calls as this package uses them: relative to a place, close-on-exec,
// and repeated when a signal interrupts them, which the Go scheduler's own
// signals do on CIFS and FUSE.

// again makes a system call until no signal interrupts it.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func openat(p place, flags int, mode uint32) (fd int, err error) {
	err = again(func() (err error) {
		fd, err = unix.Openat(p.fd(), p.name, flags|unix.O_CLOEXEC|unix.O_NOCTTY, mode)
		return err
	})
	return fd, err
}

func mkdirat(p place, mode uint32) error {
	return again(func() error { return unix.Mkdirat(p.fd(), p.name, mode) })
}

func mknodat(p place, mode uint32, dev int) error {
	return again(func() error { return unix.Mknodat(p.fd(), p.name, mode, dev) })
}

func symlinkat(text string, p place) error {
	return again(func() error { return unix.Symlinkat(text, p.fd(), p.name) })
}

func fstatat(p place, st *unix.Stat_t, flags int) error {
	return again(func() error { return unix.Fstatat(p.fd(), p.name, st, flags) })
}

func fstat(fd int, st *unix.Stat_t) error {
	return again(func() error { return unix.Fstat(fd, st) })
}

func faccessat(p place, mode uint32, flags int) error {
	return again(func() error { return unix.Faccessat(p.fd(), p.name, mode, flags) })
}

func ftruncate(fd int, size int64) error {
	return again(func() error { return unix.Ftruncate(fd, size) })
}

func fsync(fd int) error {
	return again(func() error { return unix.Fsync(fd) })
}

func fchmod(fd int, mode uint32) error {
	return again(func() error { return unix.Fchmod(fd, mode) })
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
		got := 0
		err := again(func() (err error) {
			got, err = unix.Readlinkat(p.fd(), p.name, buf)
			return err
		})
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
	_, err := readlinkat(p, 0)
	return err == nil
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

// rename puts a file in the place of what has the name, if anything has.
func rename(from, to place) error {
	return again(func() error { return unix.Renameat(from.fd(), from.name, to.fd(), to.name) })
}

// renameNew gives a file a name that nothing has: else the error is EEXIST. Where
// the filesystem cannot tell, it makes a link, and where it has no links it looks
// before: some call two names one.
func renameNew(from, to place) error {
	err := renameat2(from, to, unix.RENAME_NOREPLACE)
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	switch err := linkat(from, to, 0); err {
	case nil:
		if err = unlinkat(from, 0); err != nil {
			unlinkat(to, 0)
		}
		return err
	case unix.EEXIST:
		return err
	}
	if err := fstatat(to, new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW); err != unix.ENOENT {
		return cmp.Or(err, error(unix.EEXIST))
	}
	return rename(from, to)
}

// exchange has two files swap their names. The error is EINVAL or ENOSYS where
// the filesystem or the kernel cannot do that.
func exchange(a, b place) error { return renameat2(a, b, unix.RENAME_EXCHANGE) }

func renameat2(from, to place, flags uint) error {
	return again(func() error { return unix.Renameat2(from.fd(), from.name, to.fd(), to.name, flags) })
}

// linkat gives the file at a place, be it a symbolic link, another name; with
// AT_SYMLINK_FOLLOW what a link leads to.
func linkat(from, to place, flags int) error {
	return again(func() error { return unix.Linkat(from.fd(), from.name, to.fd(), to.name, flags) })
}

func unlinkat(p place, flags int) error {
	return again(func() error { return unix.Unlinkat(p.fd(), p.name, flags) })
}

// isKind reports whether a file is of a kind, unix.S_IFREG and so on.
func isKind(st *unix.Stat_t, kind uint32) bool { return st.Mode&unix.S_IFMT == kind }

// exists reports whether anything has a name.
func exists(p place) bool {
	return fstatat(p, new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW) == nil
}
