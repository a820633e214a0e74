package filecopy

import (
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// A file that takes the place of another is made under a name of its own in
// the same directory and then renamed: the old one is gone when the new one is
// there, and stays if that cannot be made.

// beside makes something under a new name in the directory of p.
func beside(p place, create func(place) error) (place, error) {
	const attempts = 100
	for i := 0; ; i++ {
		q := p.sibling(fmt.Sprintf(".zcp-%08x", rand.Uint32()))
		err := create(q)
		if err != unix.EEXIST || i == attempts {
			return q, err
		}
	}
}

// takePlace renames from to to, and removes from if that fails.
func takePlace(from, to place) error {
	err := unix.Renameat(from.fd(), from.name, to.fd(), to.name)
	if err != nil {
		unix.Unlinkat(from.fd(), from.name, 0)
	}
	return err
}

// unwritable are the answers for a directory that cannot be reached or changed:
// then it is the old file that cannot be removed.
func unwritable(err error) bool {
	switch err {
	case unix.EACCES, unix.EROFS, unix.ELOOP, unix.ENOTDIR, unix.ENOENT, unix.ENAMETOOLONG:
		return true
	}
	return false
}

// replaceRegular puts an empty file in the place of one that cannot be opened.
func (w *worker) replaceRegular(e *entry) (*file, *Problem) {
	var fd int
	temporary, err := beside(e.dst, func(p place) (err error) {
		fd, err = openat(p, w.writing()|createFlags, w.createMode(e))
		return err
	})
	if err != nil && !unwritable(err) {
		return nil, &Problem{What: CreateFile, Dest: e.dst.path(), Err: err}
	}
	if err == nil {
		err = takePlace(temporary, e.dst)
		if err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return nil, &Problem{What: Remove, Dest: e.dst.path(), Err: err}
	}
	w.removed(e)
	return w.created(e, fd, createFlags)
}

// put makes what is no regular file, in the place of what is there if that is
// to be replaced.
func (w *worker) put(e *entry, what What, create func(place) error) *Problem {
	if !e.replace {
		return failed(what, e, create(e.dst))
	}
	temporary, err := beside(e.dst, create)
	if err == nil {
		err = takePlace(temporary, e.dst)
		what = Remove
	} else if unwritable(err) {
		what = Remove
	}
	if err == nil {
		w.removed(e)
	}
	if err == nil || what != Remove {
		w.copying(e)
	}
	return failed(what, e, err)
}

func failed(what What, e *entry, err error) *Problem {
	if err == nil {
		return nil
	}
	return &Problem{What: what, Dest: e.dst.path(), Err: err}
}
