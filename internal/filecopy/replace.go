package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A file that takes the place of another is made under a temporary name in the
// same directory and then renamed: the old one is gone when the new one is
// there, and stays if that cannot be made.

// takePlace renames from to to, and removes from if that fails.
func takePlace(from, to place.Place) error {
	err := place.Rename(from, to)
	if err != nil {
		place.Unlink(from, 0)
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

// replaceBy puts what create makes in the place of p. Of a failure it says what
// could not be done: what, or to remove what is there.
func replaceBy(p place.Place, what What, create func(place.Place) error) (What, error) {
	temporary, err := place.Claim(p, create)
	switch {
	case err == nil:
		return Remove, takePlace(temporary, p)
	case unwritable(err):
		return Remove, err
	}
	return what, err
}

// replaceRegular puts an empty file in the place of what is there.
func (w *worker) replaceRegular(e *entry) (*file, *Problem) {
	fd := -1
	what, err := replaceBy(e.dst, CreateFile, func(p place.Place) (err error) {
		fd, err = place.Open(p, w.writing()|createFlags, w.createMode(e))
		return err
	})
	w.replaced(e, what, err)
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return nil, failed(what, e, err)
	}
	return w.created(e, e.dst, fd)
}

// put makes what is no regular file, in the place of what is there if that is
// to be replaced.
func (w *worker) put(e *entry, what What, create func(place.Place) error) *Problem {
	if !e.action.beside() {
		return failed(what, e, create(e.dst))
	}
	what, err := replaceBy(e.dst, what, create)
	w.replaced(e, what, err)
	return failed(what, e, err)
}

// replaced tells that a file was replaced, and only then, if that was decided
// beforehand, that it is copied.
func (w *worker) replaced(e *entry, what What, err error) {
	if err == nil && e.backup.Name == "" && !(w.sources != nil && e.action == PutBeside) {
		w.removed(e)
	}
	if e.action.beside() && (err == nil || what != Remove && e.backup.Name == "") {
		w.copying(e)
	}
}

func failed(what What, e *entry, err error) *Problem {
	if err == nil {
		return nil
	}
	return &Problem{What: what, Dest: e.dst.Path(), Err: err}
}
