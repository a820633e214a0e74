package place

import (
	"strings"

	"golang.org/x/sys/unix"
)

// A Place is where a file is, or will be: a name in an open directory. A file
// is reached through its place alone, so that the depth of a tree is not
// bounded by PATH_MAX, and nobody can lead a copy astray by putting a symbolic
// link where a directory was.
type Place struct {
	Dir  *Directory // nil for what the user named: the working directory
	Name string     // a path if dir is nil or a symbolic link led here, else one component
}

// In is a name in an open directory.
func In(dir *Directory, name string) Place { return Place{dir, name} }

// Path is what the user named: a path from the working directory.
func Path(path string) Place { return Place{nil, path} }

// FD is the descriptor that the name is relative to.
func (p Place) FD() int {
	if p.Dir == nil {
		return unix.AT_FDCWD
	}
	return p.Dir.FD
}

// Fresh reports whether the directory was made by this copy, which then makes
// all that is in it: what is in the way has come to be there meanwhile, or the
// filesystem takes two names for one.
func (p Place) Fresh() bool { return p.Dir != nil && p.Dir.Fresh }

// Path is the place's name for users.
func (p Place) Path() string {
	if p.Dir == nil {
		return p.Name
	}
	names := []string{p.Name}
	root := p.Dir
	for ; root.At.Dir != nil && root.Shown == ""; root = root.At.Dir {
		names = append(names, root.At.Name)
	}
	top := Joinable(root.At.Name)
	if root.Shown != "" {
		top = root.Shown + "/"
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

// Sibling is another name in the same directory, or a path from there.
func (p Place) Sibling(name string) Place {
	path := strings.TrimRight(p.Name, "/")
	if path == "" && p.Name != "" {
		return Place{p.Dir, "/" + name}
	}
	return Place{p.Dir, path[:strings.LastIndexByte(path, '/')+1] + name}
}

// Base is the last component of the name, without slashes behind it.
func (p Place) Base() string { return Base(p.Name) }

// Joinable is a directory's path with the slash that separates it from a name:
// exactly one, unless it is all slashes.
func Joinable(dir string) string {
	if trimmed := strings.TrimRight(dir, "/"); trimmed != "" {
		return trimmed + "/"
	}
	return dir
}

// Base is what a path's copy is called in a directory: empty if the
// path is all slashes.
func Base(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Parent identifies the directory that the place is in.
func (p Place) Parent() (FileID, error) {
	if p.Dir != nil {
		return p.Dir.ID, nil
	}
	var st unix.Stat_t
	if err := Stat(p.Sibling("."), &st, 0); err != nil {
		return FileID{}, err
	}
	return IDOf(&st), nil
}

// SameName reports whether two places are one directory entry, by whatever
// paths they are named. (GNU cp 9.1 is wrong about paths through symbolic links.)
func SameName(a, b Place) bool {
	if a.Base() != b.Base() {
		return false
	}
	in, err := a.Parent()
	if err != nil {
		return false
	}
	other, err := b.Parent()
	return err == nil && in == other
}

// A FileID tells files apart.
type FileID struct{ Dev, ino uint64 }

// IDOf identifies the file that stat(2) has described.
func IDOf(st *unix.Stat_t) FileID { return FileID{uint64(st.Dev), st.Ino} }

// SetDevice sets the Dev of a Stat_t, which has 32 bits on MIPS.
func SetDevice[T uint32 | uint64](dev *T, id FileID) { *dev = T(id.Dev) }
