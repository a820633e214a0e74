package place

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Directory is one that is being copied, from or to.
type Directory struct {
	At       Place
	FD       int // -1 while it is parked
	ID       FileID
	PathOnly bool        // fd was opened with O_PATH: it may not be read
	Fresh    bool        // it was made by this copy, and so is empty
	Named    atomic.Bool // if it was: its name is on disk, with those of the directories above it
	Follow   bool        // a symbolic link may lead to it

	Shown string // what users call it, if that is not its place

	reserved    map[string]struct{} // names that no temporary may have
	temporaries temporaryList       // that were there before
}

// Reach makes the directory of a place usable for a moment, if it is closed:
// until leave is called.
func (p Place) Reach() (leave func(), err error) {
	d := p.Dir
	if d == nil || d.FD >= 0 {
		return func() {}, nil
	}
	return d.Park, d.find()
}

// DirectoryFlags are those that a directory is opened with, unless a symbolic link
// may lead to it.
const DirectoryFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NONBLOCK

// OpenDirectory opens a directory to copy into, and looks at it. One that may
// be searched but not read will do.
func OpenDirectory(p Place, st *unix.Stat_t, follow bool) (*Directory, error) {
	flags, pathOnly := DirectoryFlags, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW
	if follow {
		flags, pathOnly = flags&^unix.O_NOFOLLOW, pathOnly&^unix.O_NOFOLLOW
	}
	d, err := OpenAs(p, flags, st)
	if err == unix.EACCES {
		d, err = OpenAs(p, pathOnly, st)
	}
	if err == nil {
		d.Follow = follow
	}
	return d, err
}

// OpenAs opens a directory with flags, and looks at it.
func OpenAs(p Place, flags int, st *unix.Stat_t) (*Directory, error) {
	fd, err := Open(p, flags, 0)
	if err != nil {
		return nil, err
	}
	if err := Fstat(fd, st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &Directory{At: p, FD: fd, ID: IDOf(st), PathOnly: flags&unix.O_PATH != 0}, nil
}

// Close gives the descriptor back.
func (d *Directory) Close() {
	if d.FD >= 0 {
		unix.Close(d.FD)
		d.FD = -1
	}
}

// Park gives the descriptor of a directory back until its subdirectories are
// done.
func (d *Directory) Park() { d.Close() }

// Unpark opens a parked directory again: as the parent of child, its
// subdirectory, or if that was moved meanwhile, by the names that led to it.
func (d *Directory) Unpark(child *Directory) error {
	if d.FD >= 0 {
		return nil
	}
	if child.FD >= 0 && d.reopen(Place{child, ".."}) == nil {
		return nil
	}
	return d.find()
}

// find opens a parked directory by its name, and for that those above it.
func (d *Directory) find() error {
	if up := d.At.Dir; up != nil && up.FD < 0 {
		if err := up.find(); err != nil {
			return err
		}
		defer up.Park()
	}
	return d.reopen(d.At)
}

// reopen opens a parked directory at a place. Another one that is there now is
// not accepted: ESTALE.
func (d *Directory) reopen(p Place) error {
	found, err := OpenDirectory(p, new(unix.Stat_t), d.Follow)
	if err != nil {
		return err
	}
	if found.ID != d.ID {
		found.Close()
		return unix.ESTALE
	}
	d.FD, d.PathOnly = found.FD, found.PathOnly
	return nil
}
