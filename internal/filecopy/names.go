package filecopy

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// A dirent is one name in a directory, as getdents64(2) gives it.
type dirent struct {
	ino  uint64
	name string
	kind uint8 // unix.DT_REG and so on, DT_UNKNOWN on some filesystems
}

// direntBuffer is what one getdents64 may fill, in bytes: 2,000 short names.
const direntBuffer = 64 << 10

// readNames reads a whole directory, in the order of inode numbers: on most
// filesystems that is where the files lie on disk, and GNU cp's order. All of
// it is read before anything is copied, so that copies made in the directory
// itself are not found in it.
func (c *Copier) readNames(fd int) ([]dirent, error) {
	if c.dirents == nil {
		c.dirents = make([]byte, direntBuffer)
	}
	var names []dirent
	for {
		n, err := unix.Getdents(fd, c.dirents)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return names, err
		case n == 0:
			slices.SortStableFunc(names, func(a, b dirent) int { return cmp.Compare(a.ino, b.ino) })
			return names, nil
		}
		names = parse(names, c.dirents[:n])
	}
}

// The layout of struct linux_dirent64, getdents64(2).
const (
	direntLength = 16
	direntKind   = 18
	direntName   = 19
)

// parse appends the names in buf. They share one string.
func parse(names []dirent, buf []byte) []dirent {
	text := string(buf)
	for at := 0; at < len(buf); {
		entry := buf[at:]
		length := int(binary.NativeEndian.Uint16(entry[direntLength:]))
		end := direntName + bytes.IndexByte(entry[direntName:length], 0)
		name := text[at+direntName : at+end]
		if name != "." && name != ".." {
			names = append(names, dirent{binary.NativeEndian.Uint64(entry), name, entry[direntKind]})
		}
		at += length
	}
	return names
}
