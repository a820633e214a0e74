package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// keep takes over what is to be preserved: the owner first, since a change of
// owner clears set-id bits, and the times last. Permissions are left as they are
// if the owner is not the right one. Of several problems the one with the times
// is told.
func (w *worker) keep(k *attr.Pair) *Problem {
	p := w.keepOwnerAndMode(k)
	if w.options.Preserve.has(Timestamps) {
		if err := k.To.Touch(k.Source.Atim, k.Source.Mtim); err != nil {
			return w.lost(notKept(k, PreserveTimes, err))
		}
	}
	return p
}

// lost returns a problem with an attribute, unless the copy counts without it.
func (w *worker) lost(p *Problem) *Problem {
	if p == nil || !w.options.Lossy {
		return p
	}
	p.Tolerated = true
	w.report(p)
	return nil
}

func notKept(k *attr.Pair, what What, err error) *Problem {
	return &Problem{What: what, Dest: k.To.At.Path(), Err: err}
}

func (w *worker) keepOwnerAndMode(k *attr.Pair) *Problem {
	mode := k.Source.Mode & (attr.Permissions | attr.SetID)
	if w.options.Preserve.has(Ownership) && !k.Own {
		kept, p := w.keepOwner(k)
		if p = w.lost(p); p != nil {
			return p
		}
		if !kept {
			mode &^= attr.SetID
		}
	}
	w.keepXattrs(k)
	if k.Link {
		return nil
	}
	if !w.options.Preserve.has(Mode) {
		return w.setPlainMode(k)
	}
	if err := attr.KeepMode(k, mode); err != nil {
		return w.lost(notKept(k, PreserveMode, err))
	}
	return nil
}

// setPlainMode gives a new file the permissions that it would have if a shell
// had made it, whatever its source has.
func (w *worker) setPlainMode(k *attr.Pair) *Problem {
	if !k.Fresh || !w.options.PlainModes {
		return nil
	}
	mode := uint32(0o666)
	if place.IsKind(k.Source, unix.S_IFDIR) || place.IsKind(k.Source, unix.S_IFSOCK) {
		mode = 0o777
	}
	mode &^= w.umask
	err := k.To.SetACL(attr.AccessACL, attr.MinimalACL(mode))
	if attr.NoACLs(err) {
		err = k.To.Chmod(mode)
	}
	if err != nil {
		return notKept(k, PlainPermissions, err)
	}
	return nil
}

// keepOwner reports whether the copy belongs to the source's owner and group
// now. Users who are not root cannot give files away, and hear nothing of it.
func (w *worker) keepOwner(k *attr.Pair) (kept bool, p *Problem) {
	uid, gid := int(k.Source.Uid), int(k.Source.Gid)
	if k.Was != nil && k.Was.Uid == k.Source.Uid && k.Was.Gid == k.Source.Gid {
		return true, nil
	}
	if !k.Fresh && w.options.Preserve.has(Mode) {
		if err := attr.Narrow(k); err != nil {
			return false, notKept(k, ClearPermissions, err)
		}
	}
	err := k.To.Chown(uid, gid)
	if err == nil {
		return true, nil
	}
	if err == unix.EPERM || err == unix.EINVAL {
		k.To.Chown(-1, gid) // a group that the user is in can be given
		if !w.privileged {
			return false, nil
		}
	}
	return false, notKept(k, PreserveOwnership, err)
}
