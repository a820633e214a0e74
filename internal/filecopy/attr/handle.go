package attr

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// Permissions are the bits that a file can be created with.
const Permissions = unix.S_IRWXU | unix.S_IRWXG | unix.S_IRWXO

// SetID are the bits that only mean well with the right owner.
const SetID = unix.S_ISUID | unix.S_ISGID | unix.S_ISVTX

// Opened reaches the attributes of an open file, which is at a place.
func Opened(fd int, at place.Place) Handle { return Handle{fd, at} }

// Named reaches the attributes of what has a name.
func Named(at place.Place) Handle { return Handle{-1, at} }

// A Handle reaches the attributes of a file: through a descriptor if there is
// one, and else by its name, never through a symbolic link.
type Handle struct {
	FD int // -1 if there is none
	At place.Place
}

// Chmod changes the permissions.
func (h Handle) Chmod(mode uint32) error {
	if h.FD >= 0 {
		return place.Fchmod(h.FD, mode)
	}
	err := place.Retry(func() error { return unix.Fchmodat(h.At.FD(), h.At.Name, mode, unix.AT_SYMLINK_NOFOLLOW) })
	if err != unix.EOPNOTSUPP {
		return err
	}
	// Before Linux 6.6 there is no fchmodat2(2).
	fd, err := place.Open(h.At, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return place.Retry(func() error { return unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode) })
}

// Chown changes the owner and the group; -1 leaves them.
func (h Handle) Chown(uid, gid int) error {
	return place.Retry(func() error {
		if h.FD >= 0 {
			return unix.Fchown(h.FD, uid, gid)
		}
		return unix.Fchownat(h.At.FD(), h.At.Name, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
	})
}

// Touch sets the times of the last access and the last change.
func (h Handle) Touch(atime, mtime unix.Timespec) error {
	times := [2]unix.Timespec{atime, mtime}
	return place.Retry(func() error {
		if h.FD < 0 {
			return unix.UtimesNanoAt(h.At.FD(), h.At.Name, times[:], unix.AT_SYMLINK_NOFOLLOW)
		}
		// futimens(3): without a name utimensat(2) means the descriptor itself,
		// also before Linux 5.8, which brought AT_EMPTY_PATH.
		_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(h.FD), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
}

// SetOnReadOnly sets an attribute of a file that its owner may not write to,
// and who therefore may not set attributes either, by allowing it for a moment.
func (h Handle) SetOnReadOnly(name string, value []byte) error {
	var st unix.Stat_t
	if err := h.stat(&st); err != nil {
		return err
	}
	mode := st.Mode & (Permissions | SetID)
	if h.Chmod(mode|unix.S_IWUSR) != nil {
		return unix.EACCES
	}
	err := h.Setxattr(name, value)
	if chmodErr := h.Chmod(mode); err == nil {
		err = chmodErr
	}
	return err
}

func (h Handle) stat(st *unix.Stat_t) error {
	if h.FD >= 0 {
		return place.Fstat(h.FD, st)
	}
	return place.Stat(h.At, st, unix.AT_SYMLINK_NOFOLLOW)
}

// NoXattrs are the answers of a filesystem that keeps no extended attributes.
func NoXattrs(err error) bool { return err == unix.EOPNOTSUPP || err == unix.ENOSYS }

const (
	UsualXattr   = 256      // bytes of a value, or of all names, that one call reads
	LongestXattr = 64 << 10 // XATTR_SIZE_MAX and XATTR_LIST_MAX, linux/limits.h
)

// Listxattr returns the names, a zero byte behind each.
func (h Handle) Listxattr() ([]byte, error) {
	return Sized(UsualXattr, func(buf []byte) (int, error) {
		if h.FD >= 0 {
			return unix.Flistxattr(h.FD, buf)
		}
		return unix.Llistxattr(h.xattrPath(), buf)
	})
}

// Getxattr returns a value; one call will do if it has no more than the usual
// number of bytes.
func (h Handle) Getxattr(name string, usual int) ([]byte, error) {
	return Sized(usual, func(buf []byte) (int, error) {
		if h.FD >= 0 {
			return unix.Fgetxattr(h.FD, name, buf)
		}
		return unix.Lgetxattr(h.xattrPath(), name, buf)
	})
}

// Sized calls get with larger buffers until what it gets fits in.
func Sized(size int, get func([]byte) (int, error)) ([]byte, error) {
	for ; ; size = min(size*8, LongestXattr) {
		buf, n := make([]byte, size), 0
		err := place.Retry(func() (err error) {
			n, err = get(buf)
			return err
		})
		if err == nil {
			return buf[:n], nil
		}
		if err != unix.ERANGE || size == LongestXattr {
			return nil, err
		}
	}
}

// Setxattr sets an extended attribute.
func (h Handle) Setxattr(name string, value []byte) error {
	return place.Retry(func() error {
		if h.FD >= 0 {
			return unix.Fsetxattr(h.FD, name, value, 0)
		}
		return unix.Lsetxattr(h.xattrPath(), name, value, 0)
	})
}

// RemoveACL removes an access control list.
func (h Handle) RemoveACL(name string) error {
	return place.Retry(func() error {
		if h.FD >= 0 {
			return unix.Fremovexattr(h.FD, name)
		}
		return unix.Lremovexattr(h.xattrPath(), name)
	})
}

// xattrPath names the file for the calls on extended attributes, which know no
// directory descriptors.
func (h Handle) xattrPath() string {
	if h.At.Dir == nil {
		return h.At.Name
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", h.At.Dir.FD, h.At.Name)
}
