package filecopy

import (
	"fmt"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A mover removes sources once their copies are safe, or renames them. A nil
// mover does nothing: sources are copied.
//
// What must be on disk comes before what is removed, in this order:
//
//	a rename       with Fsync the data of the file, or of the directory's
//	               filesystem; the new name; with Fsync both directories
//	a file         its data and attributes; its name; the directory of that;
//	               then the source is removed
//	a further      the link; its directory; then the source's name is removed
//	hard link
//	a symbolic     it, with its name; its directory; its attributes come later,
//	link, FIFO,    and then the source is removed
//	device
//	a directory    it, with its name; the directory above it; then all that is
//	               in it is moved; its attributes; itself; then the source is
//	               removed, if nothing is left in it
//
// In directories that the move has made, files and directories are synced together,
// see batch: first the data and attributes of all, then the names of all, also those
// of the directories, then the sources are removed.
//
// After each call a power loss leaves:
//
//	               the source           the destination
//	a rename       whole, or gone       gone, or whole; an old file instead of
//	                                    nothing
//	a file         whole until its      nothing, a temporary, or an old file
//	               removal is on disk   until its name is on disk, then all of it
//	a hard link    as a file, but it may come back as a file of its own in the
//	               next run, if that begins between two names
//	a link, FIFO   as a file; of its attributes perhaps only some
//	a directory    there until all that was in it is gone; both are there
//	               meanwhile, and the destination has its mode and times last
//
// So every regular file and symbolic link is whole under at least one of its two
// names at every moment, a directory exists in at least one place, and the same
// command, given again, moves the rest. Hard links within what is moved stay
// links, those to files outside are cut.
//
// What the mover has made, moved or linked, it knows by its identity. It never
// writes to that, and never gives its name away, to a source or as a backup.
type mover struct{ *ledger }

// renames reports whether a source may be renamed: unless it is known to be on
// another filesystem, or is a directory that has one to fill. Of two names of one
// file the source's only has to go.
func (m *mover) renames(e *entry) bool {
	return m != nil && e.action != Skip && (e.isFound() || !e.crosses && e.action != Fill)
}

// finishFile removes a source whose copy is on disk, by its name, too.
func (m *mover) finishFile(w *worker, e *entry, dst, src *file) *Problem {
	if m == nil {
		return nil
	}
	m.rememberOpen(dst.fd)
	return w.removeSource(e, &src.stat)
}

// finishOther removes a source that is no regular file, or whose copy is a link
// to one, once that is on disk.
func (m *mover) finishOther(w *worker, e *entry) *Problem {
	if m == nil || e.is(unix.S_IFREG) && !e.action.links() {
		return nil
	}
	if p := w.syncName(e.dst); p != nil {
		return p
	}
	return m.leaveOther(w, e)
}

// leaveOther is finishOther for a file that is on disk, with its name.
func (m *mover) leaveOther(w *worker, e *entry) *Problem {
	m.rememberNamed(e.dst)
	return w.removeSource(e, &e.stat)
}

// beginDirectory remembers a new directory.
func (m *mover) beginDirectory(made *madeDirectory) {
	if m != nil {
		m.rememberOpen(made.dir.FD)
	}
}

// finishDirectory removes a source directory, if nothing was left in it.
func (m *mover) finishDirectory(w *worker, f *filling) *Problem {
	if m == nil || w.stopped() {
		return nil
	}
	e := f.entry
	err := place.Unlink(e.src, unix.AT_REMOVEDIR)
	switch err {
	case nil:
		w.gone(e)
	case unix.ENOTEMPTY, unix.EEXIST:
		return f.arrived()
	case unix.EINVAL: // it is called ., which stands for what is in it
		return f.arrived()
	default:
		return &Problem{What: RemoveSource, Source: e.src.Path(), Err: err}
	}
	return nil
}

// removeSource removes a source that is as it was when it was copied.
func (w *worker) removeSource(e *entry, was *unix.Stat_t) *Problem {
	var now unix.Stat_t
	_, err := place.Identify(e.src)
	if err == nil {
		err = place.Stat(e.src, &now, unix.AT_SYMLINK_NOFOLLOW)
	}
	switch {
	case err == nil && changed(was, &now):
		return &Problem{What: SourceChanged, Source: e.src.Path()}
	case err == nil:
		err = place.Unlink(e.src, 0)
	}
	switch err {
	case nil:
	case unix.ENOENT:
		return &Problem{What: Vanished, Source: e.src.Path(), Dest: e.dst.Path()}
	default:
		return &Problem{What: RemoveSource, Source: e.src.Path(), Err: err}
	}
	if e.several != nil {
		e.several.removed(e.fd)
	}
	w.gone(e)
	return nil
}

// arrived reports names in a source directory that were not there when it was
// listed. What else is there was reported, or left by the user's wish.
func (f *filling) arrived() *Problem {
	if f.src == nil {
		return nil
	}
	now, err := place.OpenAs(place.In(f.src, "."), unix.O_RDONLY|unix.O_DIRECTORY, new(unix.Stat_t))
	if err != nil {
		return &Problem{What: ReadDirectory, Source: f.entry.src.Path(), Err: err}
	}
	defer now.Close()
	names, err := place.ReadNames(now.FD, make([]byte, place.DirentBuffer))
	if err != nil {
		return &Problem{What: ReadDirectory, Source: f.entry.src.Path(), Err: err}
	}
	n := 0
	for _, found := range names.Entries {
		if _, known := f.stayed[names.Name(found)]; !known {
			n++
		}
	}
	switch n {
	case 0:
		return nil
	case 1:
		return &Problem{What: Arrived, Source: f.entry.src.Path(), Err: plainError("1 file arrived meanwhile")}
	}
	return &Problem{What: Arrived, Source: f.entry.src.Path(), Err: plainError(fmt.Sprintf("%d files arrived meanwhile", n))}
}

func (w *worker) gone(e *entry) {
	e.gone = true
	if w.details() {
		w.tell(Gone{e.src.Path(), e.is(unix.S_IFDIR)})
	}
}
