package filecopy

import "golang.org/x/sys/unix"

// A directory is one that is being copied, from or to.
type directory struct {
	at       place
	fd       int // -1 while it is parked
	id       fileID
	pathOnly bool // fd was opened with O_PATH: it may not be read
	fresh    bool // it was made by this copy, and so is empty
	follow   bool // a symbolic link may lead to it

	shown string // what users call it, if that is not its place

	reserved    map[string]struct{} // names that no temporary may have
	temporaries temporaryList       // that were there before
}

// reach makes the directory of a place usable for a moment, if it is closed:
// until leave is called.
func (p place) reach() (leave func(), err error) {
	d := p.dir
	if d == nil || d.fd >= 0 {
		return func() {}, nil
	}
	return d.park, d.find()
}

const directoryFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NONBLOCK

// openDirectory opens a directory to copy into, and looks at it. One that may
// be searched but not read will do.
func openDirectory(p place, st *unix.Stat_t, follow bool) (*directory, error) {
	flags, pathOnly := directoryFlags, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW
	if follow {
		flags, pathOnly = flags&^unix.O_NOFOLLOW, pathOnly&^unix.O_NOFOLLOW
	}
	d, err := open(p, flags, st)
	if err == unix.EACCES {
		d, err = open(p, pathOnly, st)
	}
	if err == nil {
		d.follow = follow
	}
	return d, err
}

func open(p place, flags int, st *unix.Stat_t) (*directory, error) {
	fd, err := openat(p, flags, 0)
	if err != nil {
		return nil, err
	}
	if err := fstat(fd, st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &directory{at: p, fd: fd, id: idOf(st), pathOnly: flags&unix.O_PATH != 0}, nil
}

func (d *directory) close() {
	if d.fd >= 0 {
		unix.Close(d.fd)
		d.fd = -1
	}
}

// park gives the descriptor of a directory back until its subdirectories are
// done.
func (d *directory) park() { d.close() }

// unpark opens a parked directory again: as the parent of child, its
// subdirectory, or if that was moved meanwhile, by the names that led to it.
func (d *directory) unpark(child *directory) error {
	if d.fd >= 0 {
		return nil
	}
	if child.fd >= 0 && d.reopen(place{child, ".."}) == nil {
		return nil
	}
	return d.find()
}

// find opens a parked directory by its name, and for that those above it.
func (d *directory) find() error {
	if up := d.at.dir; up != nil && up.fd < 0 {
		if err := up.find(); err != nil {
			return err
		}
		defer up.park()
	}
	return d.reopen(d.at)
}

// reopen opens a parked directory at a place. Another one that is there now is
// not accepted: ESTALE.
func (d *directory) reopen(p place) error {
	found, err := openDirectory(p, new(unix.Stat_t), d.follow)
	if err != nil {
		return err
	}
	if found.id != d.id {
		found.close()
		return unix.ESTALE
	}
	d.fd, d.pathOnly = found.fd, found.pathOnly
	return nil
}
