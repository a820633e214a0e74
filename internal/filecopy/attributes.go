package filecopy

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// keeping is a copy that is to get the attributes of its source.
type keeping struct {
	from, to handle
	source   *unix.Stat_t // as the source was before it was read
	was      *unix.Stat_t // the copy so far, nil if that is not known
	fresh    bool         // the copy was made just now
	link     bool         // it is a symbolic link, which has no permissions
	own      bool         // it stays with the user who made it
	noXattrs bool         // it is to have no extended attributes of the source's
	noACL    bool         // the source is known to have no access control list
}

// keep takes over what is to be preserved: the owner first, since a change of
// owner clears set-id bits, and the times last. Permissions are left as they are
// if the owner is not the right one. Of several problems the one with the times
// is told.
func (w *worker) keep(k *keeping) *Problem {
	p := w.keepOwnerAndMode(k)
	if w.options.Preserve.has(Timestamps) {
		if err := k.to.touch(k.source.Atim, k.source.Mtim); err != nil {
			return k.problem(PreserveTimes, err)
		}
	}
	return p
}

func (k *keeping) problem(what What, err error) *Problem {
	return &Problem{What: what, Dest: k.to.at.Path(), Err: err}
}

func (w *worker) keepOwnerAndMode(k *keeping) *Problem {
	mode := k.source.Mode & (permissions | setID)
	if w.options.Preserve.has(Ownership) && !k.own {
		kept, p := w.keepOwner(k)
		if p != nil {
			return p
		}
		if !kept {
			mode &^= setID
		}
	}
	w.keepXattrs(k)
	if k.link {
		return nil
	}
	if !w.options.Preserve.has(Mode) {
		return w.setPlainMode(k)
	}
	if err := keepMode(k, mode); err != nil {
		return k.problem(PreserveMode, err)
	}
	return nil
}

// setPlainMode gives a new file the permissions that it would have if a shell
// had made it, whatever its source has.
func (w *worker) setPlainMode(k *keeping) *Problem {
	if !k.fresh || !w.options.PlainModes {
		return nil
	}
	mode := uint32(0o666)
	if place.IsKind(k.source, unix.S_IFDIR) || place.IsKind(k.source, unix.S_IFSOCK) {
		mode = 0o777
	}
	mode &^= w.umask
	err := k.to.setACL(accessACL, minimalACL(mode))
	if noACLs(err) {
		err = k.to.chmod(mode)
	}
	if err != nil {
		return k.problem(PlainPermissions, err)
	}
	return nil
}

// keepOwner reports whether the copy belongs to the source's owner and group
// now. Users who are not root cannot give files away, and hear nothing of it.
func (w *worker) keepOwner(k *keeping) (kept bool, p *Problem) {
	uid, gid := int(k.source.Uid), int(k.source.Gid)
	if k.was != nil && k.was.Uid == k.source.Uid && k.was.Gid == k.source.Gid {
		return true, nil
	}
	if !k.fresh && w.options.Preserve.has(Mode) {
		if err := narrow(k); err != nil {
			return false, k.problem(ClearPermissions, err)
		}
	}
	err := k.to.chown(uid, gid)
	if err == nil {
		return true, nil
	}
	if err == unix.EPERM || err == unix.EINVAL {
		k.to.chown(-1, gid) // a group that the user is in can be given
		if !w.privileged {
			return false, nil
		}
	}
	return false, k.problem(PreserveOwnership, err)
}

// narrow leaves an existing file only those permissions of its owner that it
// shall have in the end: the new owner and group must not have the old ones,
// and no set-id bits. (GNU cp lets the set-group-ID bit pass to the new group.)
// Of a directory, where they mean something else, these bits stay.
func narrow(k *keeping) error {
	mode := k.was.Mode & k.source.Mode & unix.S_IRWXU
	err := k.to.setACL(accessACL, minimalACL(mode))
	if noACLs(err) || err == nil && k.was.Mode&unix.S_IFMT != unix.S_IFDIR {
		return k.to.chmod(mode | k.was.Mode&unix.S_ISVTX)
	}
	return err
}

// A handle reaches the attributes of a file: through a descriptor if there is
// one, and else by its name, never through a symbolic link.
type handle struct {
	fd int // -1 if there is none
	at place.Place
}

func (h handle) chmod(mode uint32) error {
	if h.fd >= 0 {
		return place.Fchmod(h.fd, mode)
	}
	err := place.Retry(func() error { return unix.Fchmodat(h.at.FD(), h.at.Name, mode, unix.AT_SYMLINK_NOFOLLOW) })
	if err != unix.EOPNOTSUPP {
		return err
	}
	// Before Linux 6.6 there is no fchmodat2(2).
	fd, err := place.Open(h.at, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return place.Retry(func() error { return unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode) })
}

func (h handle) chown(uid, gid int) error {
	return place.Retry(func() error {
		if h.fd >= 0 {
			return unix.Fchown(h.fd, uid, gid)
		}
		return unix.Fchownat(h.at.FD(), h.at.Name, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
	})
}

// touch sets the times of the last access and the last change.
func (h handle) touch(atime, mtime unix.Timespec) error {
	times := [2]unix.Timespec{atime, mtime}
	return place.Retry(func() error {
		if h.fd < 0 {
			return unix.UtimesNanoAt(h.at.FD(), h.at.Name, times[:], unix.AT_SYMLINK_NOFOLLOW)
		}
		// futimens(3): without a name utimensat(2) means the descriptor itself,
		// also before Linux 5.8, which brought AT_EMPTY_PATH.
		_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(h.fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
}
