package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// secure does what makes a complete copy one to rely on: it is on disk, and
// reads as its source does.
func (w *worker) secure(dst, src *file) *Problem {
	if !w.durable && !w.options.Verify {
		return nil
	}
	if p := dst.sync(); p != nil {
		return p
	}
	if p := w.mover.vouch(w, dst, src); p != nil {
		return p
	}
	if w.options.Verify {
		return w.verify(dst, src)
	}
	return nil
}

// sync has a file's data and attributes on disk, and hears of all that could
// not be written back since the file was opened (fsync(2)).
func (f *file) sync() *Problem {
	if !f.regular() && !place.IsKind(&f.stat, unix.S_IFBLK) {
		return nil
	}
	if err := place.Fsync(f.fd); err != nil {
		return &Problem{What: Sync, Dest: f.at.Path(), Err: err}
	}
	return nil
}

// syncDirectory has the name of a file on disk. A directory that may not be
// read cannot be opened for that: then everything is written back.
func syncDirectory(p place.Place) *Problem {
	dir := p.Sibling(".")
	fd, err := place.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err == unix.EACCES {
		unix.Sync()
		return nil
	}
	if err == nil {
		err = fsyncDirectory(fd)
		unix.Close(fd)
	}
	if err != nil {
		return &Problem{What: Sync, Dest: dir.Path(), Err: err}
	}
	return nil
}

// syncOpen has the names in an open directory on disk.
func syncOpen(d *place.Directory) *Problem {
	if d.PathOnly {
		return syncDirectory(place.In(d, "."))
	}
	if err := fsyncDirectory(d.FD); err != nil {
		return &Problem{What: Sync, Dest: d.At.Path(), Err: err}
	}
	return nil
}

// fsyncDirectory is fsync for a directory, which some filesystems do not know:
// they write names at once.
func fsyncDirectory(fd int) error {
	err := place.Fsync(fd)
	if err == unix.EINVAL || err == unix.EOPNOTSUPP {
		return nil
	}
	return err
}
