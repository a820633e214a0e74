package attr

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"
)

// AccessACL and DefaultACL are access control lists: extended attributes, which the kernel checks and
// keeps in step with the permission bits (acl(5), xattr(7)).
const (
	AccessACL  = "system.posix_acl_access"
	DefaultACL = "system.posix_acl_default" // of a directory: for what is made in it
)

// NoACLs are the answers of a filesystem that keeps no access control lists.
func NoACLs(err error) bool {
	return err == unix.EOPNOTSUPP || err == unix.ENOSYS
}

// Pair is a copy that is to get the attributes of its source.
type Pair struct {
	From, To Handle
	Source   *unix.Stat_t // as the source was before it was read
	Was      *unix.Stat_t // the copy so far, nil if that is not known
	Fresh    bool         // the copy was made just now
	Link     bool         // it is a symbolic link, which has no permissions
	Own      bool         // it stays with the user who made it
	NoXattrs bool         // it is to have no extended attributes of the source's
	NoACL    bool         // the source is known to have no access control list
}

// KeepMode takes over the permissions, with the access control list that may
// be behind them. A copy that has a list that its source has not, inherited
// from its directory or old, loses it.
func KeepMode(k *Pair, mode uint32) error {
	var list []byte
	var err error
	if !k.NoACL {
		if list, err = k.From.GetACL(AccessACL); err != nil {
			return err
		}
	}
	extended := list != nil
	if !extended {
		list = MinimalACL(mode)
	}
	err = k.To.SetACL(AccessACL, list)
	switch {
	case err == nil && (mode|k.before())&SetID == 0: // the list sets the other bits
	case err == nil:
		err = k.To.Chmod(mode)
	case NoACLs(err):
		if chmodErr := k.To.Chmod(mode); chmodErr != nil || !extended {
			err = chmodErr
		}
	}
	if err != nil || k.Source.Mode&unix.S_IFMT != unix.S_IFDIR {
		return err
	}
	return keepDefaultACL(k)
}

// before is the mode that the copy had, or may have been made with.
func (k *Pair) before() uint32 {
	if k.Was != nil {
		return k.Was.Mode
	}
	return k.Source.Mode
}

func keepDefaultACL(k *Pair) error {
	list, err := k.From.GetACL(DefaultACL)
	if err != nil {
		return err
	}
	if list != nil {
		return k.To.SetACL(DefaultACL, list)
	}
	err = k.To.RemoveACL(DefaultACL)
	if err == unix.ENODATA || NoACLs(err) {
		return nil
	}
	return err
}

// MinimalACL is a list that says no more than the permission bits do, which
// the kernel therefore does not store: struct posix_acl_xattr_header and three
// entries, linux/posix_acl_xattr.h.
func MinimalACL(mode uint32) []byte {
	const (
		version   = 2
		userObj   = 0x01
		groupObj  = 0x04
		other     = 0x20
		undefined = math.MaxUint32
	)
	list := binary.LittleEndian.AppendUint32(make([]byte, 0, 28), version)
	for _, entry := range [][2]uint32{{userObj, mode >> 6}, {groupObj, mode >> 3}, {other, mode}} {
		list = binary.LittleEndian.AppendUint16(list, uint16(entry[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(entry[1]&7))
		list = binary.LittleEndian.AppendUint32(list, undefined)
	}
	return list
}

// usualACL is the size in bytes of the lists that one call reads: 15 entries.
const usualACL = 128

// GetACL returns nil if the file has no list of that name.
func (h Handle) GetACL(name string) ([]byte, error) {
	list, err := h.Getxattr(name, usualACL)
	if err == unix.ENODATA || NoACLs(err) {
		return nil, nil
	}
	return list, err
}

// SetACL gives the file a list.
func (h Handle) SetACL(name string, list []byte) error { return h.Setxattr(name, list) }

// Narrow leaves an existing file only those permissions of its owner that it
// shall have in the end: the new owner and group must not have the old ones,
// and no set-id bits. (GNU cp lets the set-group-ID bit pass to the new group.)
// Of a directory, where they mean something else, these bits stay.
func Narrow(k *Pair) error {
	mode := k.Was.Mode & k.Source.Mode & unix.S_IRWXU
	err := k.To.SetACL(AccessACL, MinimalACL(mode))
	if NoACLs(err) || err == nil && k.Was.Mode&unix.S_IFMT != unix.S_IFDIR {
		return k.To.Chmod(mode | k.Was.Mode&unix.S_ISVTX)
	}
	return err
}
