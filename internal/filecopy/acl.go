package filecopy

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"
)

// Access control lists are extended attributes, which the kernel checks and
// keeps in step with the permission bits (acl(5), xattr(7)).
const (
	accessACL  = "system.posix_acl_access"
	defaultACL = "system.posix_acl_default" // of a directory: for what is made in it
)

// noACLs are the answers of a filesystem that keeps no access control lists.
func noACLs(err error) bool {
	return err == unix.EOPNOTSUPP || err == unix.ENOSYS
}

// keepMode takes over the permissions, with the access control list that may
// be behind them. A copy that has a list that its source has not, inherited
// from its directory or old, loses it.
func keepMode(k *keeping, mode uint32) error {
	var list []byte
	var err error
	if !k.noACL {
		if list, err = k.from.getACL(accessACL); err != nil {
			return err
		}
	}
	extended := list != nil
	if !extended {
		list = minimalACL(mode)
	}
	err = k.to.setACL(accessACL, list)
	switch {
	case err == nil && (mode|k.before())&setID == 0: // the list sets the other bits
	case err == nil:
		err = k.to.chmod(mode)
	case noACLs(err):
		if chmodErr := k.to.chmod(mode); chmodErr != nil || !extended {
			err = chmodErr
		}
	}
	if err != nil || k.source.Mode&unix.S_IFMT != unix.S_IFDIR {
		return err
	}
	return keepDefaultACL(k)
}

// before is the mode that the copy had, or may have been made with.
func (k *keeping) before() uint32 {
	if k.was != nil {
		return k.was.Mode
	}
	return k.source.Mode
}

func keepDefaultACL(k *keeping) error {
	list, err := k.from.getACL(defaultACL)
	if err != nil {
		return err
	}
	if list != nil {
		return k.to.setACL(defaultACL, list)
	}
	err = k.to.removeACL(defaultACL)
	if err == unix.ENODATA || noACLs(err) {
		return nil
	}
	return err
}

// minimalACL is a list that says no more than the permission bits do, which
// the kernel therefore does not store: struct posix_acl_xattr_header and three
// entries, linux/posix_acl_xattr.h.
func minimalACL(mode uint32) []byte {
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

// getACL returns nil if the file has no list of that name.
func (h handle) getACL(name string) ([]byte, error) {
	list, err := h.getxattr(name, usualACL)
	if err == unix.ENODATA || noACLs(err) {
		return nil, nil
	}
	return list, err
}

func (h handle) setACL(name string, list []byte) error { return h.setxattr(name, list) }
