package filecopy

import (
	"strings"

	"golang.org/x/sys/unix"
)

// A place is where a file is, or will be: a name in an open directory. A file
// is reached through its place alone, so that the depth of a tree is not
// bounded by PATH_MAX, and nobody can lead a copy astray by putting a symbolic
// link where a directory was.
type place struct {
	dir  *directory // nil for what the user named: the working directory
	name string     // a path if dir is nil or a symbolic link led here, else one component
}

// fd is the descriptor that the name is relative to.
func (p place) fd() int {
	if p.dir == nil {
		return unix.AT_FDCWD
	}
	return p.dir.fd
}

// fresh reports whether the directory was made by this copy, which then makes
// all that is in it: what is in the way has come to be there meanwhile, or the
// filesystem takes two names for one.
func (p place) fresh() bool { return p.dir != nil && p.dir.fresh }

// path is the place's name for users.
func (p place) path() string {
	if p.dir == nil {
		return p.name
	}
	names := []string{p.name}
	root := p.dir
	for ; root.at.dir != nil && root.shown == ""; root = root.at.dir {
		names = append(names, root.at.name)
	}
	top := joinable(root.at.name)
	if root.shown != "" {
		top = root.shown + "/"
	}
	size := len(top) + len(names)
	for _, name := range names {
		size += len(name)
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(top)
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteString(names[i])
		if i > 0 {
			b.WriteByte('/')
		}
	}
	return b.String()
}

// sibling is another name in the same directory, or a path from there.
func (p place) sibling(name string) place {
	path := strings.TrimRight(p.name, "/")
	if path == "" && p.name != "" {
		return place{p.dir, "/" + name}
	}
	return place{p.dir, path[:strings.LastIndexByte(path, '/')+1] + name}
}

// base is the last component of the name, without slashes behind it.
func (p place) base() string { return lastComponent(p.name) }

// joinable is a directory's path with the slash that separates it from a name:
// exactly one, unless it is all slashes.
func joinable(dir string) string {
	if trimmed := strings.TrimRight(dir, "/"); trimmed != "" {
		return trimmed + "/"
	}
	return dir
}

// lastComponent is what a path's copy is called in a directory: empty if the
// path is all slashes.
func lastComponent(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// parent identifies the directory that the place is in.
func (p place) parent() (fileID, error) {
	if p.dir != nil {
		return p.dir.id, nil
	}
	var st unix.Stat_t
	if err := fstatat(p.sibling("."), &st, 0); err != nil {
		return fileID{}, err
	}
	return idOf(&st), nil
}

// sameName reports whether two places are one directory entry, by whatever
// paths they are named. (GNU cp 9.1 is wrong about paths through symbolic links.)
func sameName(a, b place) bool {
	if a.base() != b.base() {
		return false
	}
	in, err := a.parent()
	if err != nil {
		return false
	}
	other, err := b.parent()
	return err == nil && in == other
}

// A fileID tells files apart.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), st.Ino} }

// setDevice sets the Dev of a Stat_t, which has 32 bits on MIPS.
func setDevice[T uint32 | uint64](dev *T, id fileID) { *dev = T(id.dev) }
