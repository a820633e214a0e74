package place

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"golang.org/x/sys/unix"
)

// A listing is the names in a directory, 16 bytes and the text for each.
type listing struct {
	Entries []dirent
	texts   []string // the names that one getdents64 found, without separators
}

// A dirent is what getdents64(2) says of one name.
type dirent struct {
	ino    uint64
	text   uint16 // in which of the listing's texts the name is,
	offset uint16 // from which byte on,
	size   uint16 // and how long: FUSE allows more than NAME_MAX
	Kind   uint8  // unix.DT_REG and so on, DT_UNKNOWN on some filesystems
}

func (l *listing) Name(d dirent) string {
	return l.texts[d.text][d.offset:][:d.size]
}

// DirentBuffer is what one getdents64 may fill, in bytes: 2,000 short names. An
// offset in the text of the names fits into 16 bits, and so does the number of
// texts of a hundred million names.
const DirentBuffer = 64 << 10

// ReadNames reads a whole directory, in the order of inode numbers: on most
// filesystems that is where the files lie on disk, and GNU cp's order. All of
// it is read before anything is copied, so that copies made in the directory
// itself are not found in it. buf has DirentBuffer bytes.
func ReadNames(fd int, buf []byte) (*listing, error) {
	l, err := ListNames(fd, buf)
	l.Sort()
	return l, err
}

// Sort puts the names into the order of inode numbers.
func (l *listing) Sort() {
	slices.SortStableFunc(l.Entries, func(a, b dirent) int { return cmp.Compare(a.ino, b.ino) })
}

// ListNames is ReadNames in the directory's own order.
func ListNames(fd int, buf []byte) (*listing, error) {
	l := &listing{}
	for {
		n, err := unix.Getdents(fd, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == nil && n > 0 && len(l.texts) > math.MaxUint16:
			err = unix.EOVERFLOW
		}
		if err != nil {
			return l, err
		}
		if n == 0 {
			return l, nil
		}
		l.add(buf[:n])
	}
}

// The layout of struct linux_dirent64, getdents64(2).
const (
	direntLength = 16
	direntKind   = 18
	direntName   = 19
)

// add takes the names in buf, which getdents64 has filled, and moves them
// together at its beginning.
func (l *listing) add(buf []byte) {
	text := buf[:0]
	for at := 0; at < len(buf); {
		record := buf[at:]
		at += int(binary.NativeEndian.Uint16(record[direntLength:]))
		d := dirent{
			ino: binary.NativeEndian.Uint64(record), Kind: record[direntKind],
			text: uint16(len(l.texts)), offset: uint16(len(text)),
		}
		name := record[direntName:]
		name = name[:bytes.IndexByte(name, 0)]
		if string(name) == "." || string(name) == ".." {
			continue
		}
		d.size = uint16(len(name))
		text = append(text, name...)
		l.Entries = append(l.Entries, d)
	}
	l.texts = append(l.texts, string(text))
}
