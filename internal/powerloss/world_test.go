package powerloss

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A node is a file of the tree that is moved.
type node struct {
	path  string
	kind  uint32 // unix.S_IFREG and so on
	mode  uint32
	owner int
	text  string // contents, or the target of a link
	of    string // another name of this file
	xattr bool
	acl   bool
	old   bool // in existing trees something of this name and kind is there
}

// tree has every kind of file that a move treats in its own way.
var tree = []node{
	{path: "t", kind: unix.S_IFDIR, mode: 0o755, old: true},
	{path: "t/small", kind: unix.S_IFREG, mode: 0o600, text: "a few bytes\n"},
	{path: "t/large", kind: unix.S_IFREG, mode: 0o640, text: noise(1<<20 + 5)},
	{path: "t/empty", kind: unix.S_IFREG, mode: 0o644},
	{path: "t/there", kind: unix.S_IFREG, mode: 0o640, text: noise(70_000), old: true},
	{path: "t/h1", kind: unix.S_IFREG, mode: 0o644, text: noise(5000)},
	{path: "t/h2", kind: unix.S_IFREG, mode: 0o644, text: noise(5000), of: "t/h1"},
	{path: "t/link", kind: unix.S_IFLNK, text: "small"},
	{path: "t/linked", kind: unix.S_IFLNK, text: "somewhere/else", old: true},
	{path: "t/fifo", kind: unix.S_IFIFO, mode: 0o600},
	{path: "t/setid", kind: unix.S_IFREG, mode: 0o4750, owner: 1234, text: noise(3000)},
	{path: "t/listed", kind: unix.S_IFREG, mode: 0o640, text: noise(2000), acl: true},
	{path: "t/named", kind: unix.S_IFREG, mode: 0o600, text: noise(1000), xattr: true},
	{path: "t/sub", kind: unix.S_IFDIR, mode: 0o700, old: true},
	{path: "t/sub/file", kind: unix.S_IFREG, mode: 0o400, text: noise(4096)},
	{path: "t/sub/over", kind: unix.S_IFREG, mode: 0o444, text: noise(8192), old: true},
	{path: "t/sub/below", kind: unix.S_IFDIR, mode: 0o711},
	{path: "t/sub/below/h3", kind: unix.S_IFREG, mode: 0o644, text: noise(5000), of: "t/h1"},
}

// manyNodes are more files than a batch has that may keep 256 descriptors open.
func manyNodes() (nodes []node) {
	for i, dir := range []string{"t/many", "t/many/more", "t/many/most"} {
		nodes = append(nodes, node{path: dir, kind: unix.S_IFDIR, mode: 0o750})
		for j := range 100 {
			n := node{path: fmt.Sprintf("%s/%d", dir, j), kind: unix.S_IFREG, mode: 0o640, text: noise(3000 + 100*i + j)}
			if j%20 == 0 {
				n.kind, n.text = unix.S_IFLNK, n.path
			}
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// former is what an existing tree has in the place of a file.
const former = "what was there before\n"

func noise(n int) string {
	source := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	b := make([]byte, n)
	_, _ = source.Read(b) // it never fails
	return string(b)
}

var mtime = unix.NsecToTimespec(1_000_000_000_123_456_789)

// plant makes the tree in a directory.
func plant(t *testing.T, dir string, nodes []node) {
	t.Helper()
	for _, n := range nodes {
		must(t, n.make(dir))
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, filepath.Join(dir, nodes[i].path), []unix.Timespec{mtime, mtime}, unix.AT_SYMLINK_NOFOLLOW))
	}
}

func (n *node) make(dir string) error {
	path := filepath.Join(dir, n.path)
	switch {
	case n.of != "":
		return os.Link(filepath.Join(dir, n.of), path)
	case n.kind == unix.S_IFLNK:
		return os.Symlink(n.text, path)
	}
	var err error
	switch n.kind {
	case unix.S_IFDIR:
		err = os.Mkdir(path, 0o700)
	case unix.S_IFREG:
		err = os.WriteFile(path, []byte(n.text), 0o600)
	default:
		err = unix.Mkfifo(path, 0o600)
	}
	if err == nil {
		err = os.Chown(path, n.owner, n.owner)
	}
	if err == nil {
		err = unix.Chmod(path, n.mode)
	}
	if err == nil && n.xattr {
		err = unix.Setxattr(path, "user.test", []byte("value"), 0)
	}
	if err == nil && n.acl {
		err = unix.Setxattr(path, "system.posix_acl_access", list(), 0)
	}
	return err
}

// list is an access control list that lets user 7 read (acl(5),
// linux/posix_acl_xattr.h).
func list() []byte {
	b := []byte{2, 0, 0, 0}
	for _, entry := range [][3]uint32{
		{0x01, 6, math.MaxUint32}, {0x02, 4, 7}, {0x04, 0, math.MaxUint32}, {0x10, 4, math.MaxUint32}, {0x20, 0, math.MaxUint32},
	} {
		b = binary.LittleEndian.AppendUint16(b, uint16(entry[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(entry[1]))
		b = binary.LittleEndian.AppendUint32(b, entry[2])
	}
	return b
}

// formerTree is what is at the destination before.
func formerTree() (nodes []node) {
	for _, n := range tree {
		if !n.old {
			continue
		}
		f := node{path: n.path, kind: n.kind, mode: n.mode, text: former}
		nodes = append(nodes, f)
	}
	return nodes
}

// A state is what a name leads to.
type state uint8

const (
	absent state = iota
	whole        // the file, with all its attributes
	bare         // the file, with other attributes
	before       // what was there before
	other
)

// look compares what has a name with a node, and reports permissions that it
// must never have.
func (n *node) look(dir, as string) (state, error) {
	path := filepath.Join(dir, as)
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	switch {
	case err == unix.ENOENT || err == unix.ENOTDIR:
		return absent, nil
	case err != nil:
		return other, err
	case st.Mode&unix.S_IFMT != n.kind:
		return other, nil
	}
	switch n.kind {
	case unix.S_IFLNK:
		switch text, err := os.Readlink(path); {
		case err != nil:
			return other, err
		case text == n.text:
			return whole, nil
		case text == former:
			return before, nil
		}
		return other, nil
	case unix.S_IFREG:
		data, err := os.ReadFile(path)
		switch {
		case err != nil:
			return other, err
		case n.old && string(data) == former:
			return before, nil
		case string(data) != n.text:
			return other, nil
		}
	}
	if n.attributes(path, &st) {
		return whole, nil
	}
	return bare, nil
}

// attributes reports whether a file has those of the node. A directory gets its
// times last.
func (n *node) attributes(path string, st *unix.Stat_t) bool {
	if st.Mode&0o7777 != n.mode || int(st.Uid) != n.owner || int(st.Gid) != n.owner {
		return false
	}
	if n.kind == unix.S_IFREG && st.Mtim != mtime {
		return false
	}
	value := make([]byte, 256)
	if n.xattr {
		size, err := unix.Getxattr(path, "user.test", value)
		return err == nil && string(value[:size]) == "value"
	}
	if n.acl {
		size, err := unix.Getxattr(path, "system.posix_acl_access", value)
		return err == nil && bytes.Equal(value[:size], list())
	}
	return true
}

// widened returns what may be used by more users than any file of the tree of
// that name: what has another name is a temporary.
func widened(tree []node, dir string) (wide []string) {
	modes, all := map[string]uint32{}, uint32(0)
	for _, n := range tree {
		modes[n.path] = n.mode
		if n.of == "" {
			all |= n.mode &^ 0o7000
		}
	}
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		var st unix.Stat_t
		if err != nil || unix.Lstat(path, &st) != nil {
			return nil
		}
		kind, name := st.Mode&unix.S_IFMT, strings.TrimPrefix(path, dir+"/")
		allowed, known := modes[name]
		if !known {
			allowed = all
		}
		if kind == unix.S_IFDIR && known {
			allowed |= 0o700 // until it is filled
		}
		if kind == unix.S_IFREG && strings.HasSuffix(name, "~") {
			return nil
		}
		inside := strings.HasPrefix(name, "t/") || name == "t"
		if !known && st.Uid == 1234 { // which becomes the file that runs as this user
			allowed |= unix.S_ISUID
		}
		if inside && kind != unix.S_IFLNK && st.Mode&0o7777&^allowed != 0 {
			wide = append(wide, fmt.Sprintf("%s has %o, may have %o", name, st.Mode&0o7777, allowed))
		}
		if inside && known && st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 && st.Uid != 1234 {
			wide = append(wide, fmt.Sprintf("%s runs as user %d", name, st.Uid))
		}
		return nil
	})
	return wide
}
