package place

import (
	"cmp"

	"golang.org/x/sys/unix"
)

// System calls as this package uses them: relative to a place, close-on-exec,
// and repeated when a signal interrupts them, which the Go scheduler's own
// signals do on CIFS and FUSE.

// Retry makes a system call until no signal interrupts it.
func Retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// Open opens a file, close-on-exec and never as the controlling terminal.
func Open(p Place, flags int, mode uint32) (fd int, err error) {
	err = Retry(func() (err error) {
		fd, err = unix.Openat(p.FD(), p.Name, flags|unix.O_CLOEXEC|unix.O_NOCTTY, mode)
		return err
	})
	return fd, err
}

// Mkdir makes a directory.
func Mkdir(p Place, mode uint32) error {
	return Retry(func() error { return unix.Mkdirat(p.FD(), p.Name, mode) })
}

// Mknod makes a FIFO, a socket or a device.
func Mknod(p Place, mode uint32, dev int) error {
	return Retry(func() error { return unix.Mknodat(p.FD(), p.Name, mode, dev) })
}

// Symlink makes a symbolic link that holds text.
func Symlink(text string, p Place) error {
	return Retry(func() error { return unix.Symlinkat(text, p.FD(), p.Name) })
}

// Stat looks at the file that has a name; flags are those of fstatat(2).
func Stat(p Place, st *unix.Stat_t, flags int) error {
	return Retry(func() error { return unix.Fstatat(p.FD(), p.Name, st, flags) })
}

// Fstat looks at an open file.
func Fstat(fd int, st *unix.Stat_t) error {
	return Retry(func() error { return unix.Fstat(fd, st) })
}

// Access asks whether this process may do something with a file.
func Access(p Place, mode uint32, flags int) error {
	return Retry(func() error { return unix.Faccessat(p.FD(), p.Name, mode, flags) })
}

// Ftruncate cuts an open file, or lengthens it by a hole.
func Ftruncate(fd int, size int64) error {
	return Retry(func() error { return unix.Ftruncate(fd, size) })
}

// Fsync has an open file on disk.
func Fsync(fd int) error {
	return Retry(func() error { return unix.Fsync(fd) })
}

// Fchmod changes the permissions of an open file.
func Fchmod(fd int, mode uint32) error {
	return Retry(func() error { return unix.Fchmod(fd, mode) })
}

// Read is read(2); n is never negative.
func Read(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// Pwrite writes all of p.
func Pwrite(fd int, p []byte, offset int64) error {
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

// Readlink returns what a symbolic link holds, which lstat(2) says is size
// bytes long; on procfs that is not true.
func Readlink(p Place, size int64) (string, error) {
	for n := int(min(size, unix.PathMax)) + 1; ; n *= 2 {
		buf := make([]byte, n)
		got := 0
		err := Retry(func() (err error) {
			got, err = unix.Readlinkat(p.FD(), p.Name, buf)
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

// IsLink reports whether a symbolic link is there.
func IsLink(p Place) bool {
	_, err := Readlink(p, 0)
	return err == nil
}

// Pread reads until p is full or the file ends.
func Pread(fd int, p []byte, offset int64) (n int, err error) {
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

// Rename puts a file in the place of what has the name, if anything has.
func Rename(from, to Place) error {
	return Retry(func() error { return unix.Renameat(from.FD(), from.Name, to.FD(), to.Name) })
}

// RenameNew gives a file a name that nothing has: else the error is EEXIST. Where
// the filesystem cannot tell, it makes a link, and where it has no links it looks
// before: some call two names one.
func RenameNew(from, to Place) error {
	err := renameat2(from, to, unix.RENAME_NOREPLACE)
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	switch err := Link(from, to, 0); err {
	case nil:
		if err = Unlink(from, 0); err != nil {
			Unlink(to, 0)
		}
		return err
	case unix.EEXIST:
		return err
	}
	if err := Stat(to, new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW); err != unix.ENOENT {
		return cmp.Or(err, error(unix.EEXIST))
	}
	return Rename(from, to)
}

// Exchange has two files swap their names. The error is EINVAL or ENOSYS where
// the filesystem or the kernel cannot do that.
func Exchange(a, b Place) error { return renameat2(a, b, unix.RENAME_EXCHANGE) }

func renameat2(from, to Place, flags uint) error {
	return Retry(func() error { return unix.Renameat2(from.FD(), from.Name, to.FD(), to.Name, flags) })
}

// Link gives the file at a place, be it a symbolic link, another name; with
// AT_SYMLINK_FOLLOW what a link leads to.
func Link(from, to Place, flags int) error {
	return Retry(func() error { return unix.Linkat(from.FD(), from.Name, to.FD(), to.Name, flags) })
}

// Unlink removes a name; with AT_REMOVEDIR that of an empty directory.
func Unlink(p Place, flags int) error {
	return Retry(func() error { return unix.Unlinkat(p.FD(), p.Name, flags) })
}

// IsKind reports whether a file is of a kind, unix.S_IFREG and so on.
func IsKind(st *unix.Stat_t, kind uint32) bool { return st.Mode&unix.S_IFMT == kind }

// Exists reports whether anything has a name.
func Exists(p Place) bool {
	return Stat(p, new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW) == nil
}
