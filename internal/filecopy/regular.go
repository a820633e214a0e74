package filecopy

import (
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// A file is one that is open, and what fstat(2) says of it.
type file struct {
	fd    int
	at    place.Place
	home  place.Place // where its name is, if it is a destination: a symbolic link may lead there
	flags int         // that it was opened with
	stat  unix.Stat_t
	fresh bool // it was made just now: fd is nobody else's

	done    int64    // bytes that it has of the source already
	marked  bool     // it has the mark of a partial copy
	staging *staging // nil if it has its name from the beginning
}

// regular reports whether the file is one on a filesystem.
func (f *file) regular() bool { return place.IsKind(&f.stat, unix.S_IFREG) }

// copyRegular copies a file by its contents.
func (w *worker) copyRegular(e *entry) *Problem {
	w.depart(e)
	if p := w.unverifiable(e); p != nil {
		return p
	}
	src, p := w.openSource(e)
	if p != nil {
		return p
	}
	w.mover.watch(src)
	dst, p := w.openDest(e, src)
	if p != nil {
		return p
	}
	if !w.options.AttributesOnly {
		w.mark(dst, src)
		p = w.fill(dst, src)
		w.copied(w.explain(dst, src))
	}
	if p == nil {
		dst.unmark()
		p = w.finishRegular(e, dst, src)
	}
	return w.conclude(e, dst, src, p)
}

// conclude ends a copy, whatever came of it: what is to be sure of it is made
// sure, and a staged one takes its place, or goes. The batch does that for the
// copies that it takes.
func (w *worker) conclude(e *entry, dst, src *file, p *Problem) *Problem {
	if p == nil && w.batch.takes(e, dst, src) {
		w.temporaries.set(nil) // it has no name
		e.waits = &item{dst: dst, src: src}
		return nil
	}
	if p == nil {
		p = w.secure(dst, src)
		if p != nil && p.What == Sync && dst.staging == nil {
			dst.distrust()
		}
	}
	if dst.staging != nil {
		p = w.commitOrAbandon(e, dst, p)
		e.placed = p == nil
	}
	if p == nil && (w.mover != nil || w.durable && dst.home != dst.at) { // else the walk does it
		p = w.syncName(dst.home)
	}
	return w.closeCopy(e, dst, src, p)
}

// closeCopy closes a copy. One that is safe counts, and its source goes if it is to.
func (w *worker) closeCopy(e *entry, dst, src *file, p *Problem) *Problem {
	if p == nil {
		p = w.mover.finishFile(w, e, dst, src)
	}
	if p == nil {
		p = w.sources.finishFile(dst, src)
	}
	if p == nil {
		w.gauge.completed.files.Add(1)
		w.gauge.completed.bytes.Add(src.stat.Size)
	}
	if err := unix.Close(dst.fd); err != nil && err != unix.EINTR {
		w.report(&Problem{What: Close, Dest: dst.at.Path(), Err: err})
	}
	return p
}

// openSource opens the source, unless look has done so.
func (w *worker) openSource(e *entry) (*file, *Problem) {
	src := &file{fd: e.fd, at: e.src, flags: unix.O_RDONLY, stat: e.stat}
	if e.fd >= 0 {
		return src, nil
	}
	flags := unix.O_RDONLY
	if !w.follows(e) {
		flags |= unix.O_NOFOLLOW
	}
	var err error
	if e.fd, err = place.Open(e.src, flags, 0); err != nil {
		return nil, &Problem{What: OpenSource, Source: e.src.Path(), Err: err}
	}
	src.fd = e.fd
	if err := place.Fstat(e.fd, &src.stat); err != nil {
		return nil, &Problem{What: StatSource, Source: e.src.Path(), Err: err}
	}
	if place.IDOf(&src.stat) != place.IDOf(&e.stat) {
		return nil, &Problem{What: Replaced, Source: e.src.Path()}
	}
	return src, nil
}

// openDest opens the destination for writing: empty, and not the source.
func (w *worker) openDest(e *entry, src *file) (*file, *Problem) {
	dst, p := w.openAny(e, src)
	if p != nil {
		return nil, p
	}
	p = w.unsuited(dst, src)
	if p == nil && !w.options.AttributesOnly {
		p = w.noRoom(dst, src)
	}
	if p == nil && !dst.fresh && !w.options.AttributesOnly {
		p = w.empty(dst, src)
	}
	if p == nil {
		p = w.mover.unkept(w, e, dst, src)
	}
	switch {
	case p == nil:
		return dst, nil
	case dst.fresh && dst.done == 0:
		dst.abandon()
	default:
		unix.Close(dst.fd)
	}
	return nil, p
}

// openAny opens what is there, or what will be.
func (w *worker) openAny(e *entry, src *file) (*file, *Problem) {
	if w.stages(e) {
		return w.openStaged(e, src)
	}
	dst, p := w.openExisting(e)
	if dst == nil && p == nil {
		return w.create(e)
	}
	return dst, p
}

// openExisting returns nil if there is nothing to open.
func (w *worker) openExisting(e *entry) (*file, *Problem) {
	switch e.action {
	case PutBeside:
		return w.replaceRegular(e)
	case Create:
		return nil, nil
	}
	dst := &file{at: e.dst, home: e.dst, flags: w.writing()}
	if e.found != nil && place.IsKind(e.found, unix.S_IFIFO) {
		dst.flags = unix.O_WRONLY // once somebody reads it
	}
	var err error
	dst.fd, err = place.Open(e.dst, dst.flags, 0)
	switch {
	case err == nil:
	case err == unix.ENOENT:
		return nil, nil
	case w.options.Existing.has(Force):
		return w.replaceRegular(e)
	default:
		return nil, &Problem{What: CreateFile, Dest: e.dst.Path(), Err: err}
	}
	if err := place.Fstat(dst.fd, &dst.stat); err != nil {
		unix.Close(dst.fd)
		return nil, &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	}
	return dst, nil
}

const createFlags = unix.O_CREAT | unix.O_EXCL

// create makes the destination.
func (w *worker) create(e *entry) (*file, *Problem) {
	flags := w.writing() | createFlags
	fd, err := place.Open(e.dst, flags, w.createMode(e))
	home := e.dst
	if err == unix.EEXIST && place.IsLink(e.dst) {
		if !w.options.Dangling {
			return nil, &Problem{What: ThroughDanglingLink, Dest: e.dst.Path()}
		}
		fd, err = place.Open(e.dst, flags&^unix.O_EXCL, w.createMode(e))
		home, _ = resolve(e.dst)
	}
	if err == unix.EISDIR && strings.HasSuffix(e.dst.Name, "/") {
		err = unix.ENOTDIR // what the user takes for a directory is none
	}
	if err != nil {
		return nil, &Problem{What: CreateFile, Dest: e.dst.Path(), Err: err}
	}
	return w.created(e, home, fd)
}

// createMode are the permissions that a regular file is made with.
func (w *worker) createMode(e *entry) uint32 {
	return e.stat.Mode & attr.Permissions &^ w.omitted(0)
}

// created describes a new file. If it is in a directory that was looked at, that
// takes no call.
func (w *worker) created(e *entry, home place.Place, fd int) (*file, *Problem) {
	dst := &file{fd: fd, at: e.dst, home: home, flags: w.writing(), fresh: true}
	inside := e.dst.Dir != nil && home == e.dst
	if inside && !w.options.Preserve.has(Ownership) {
		dst.stat = unix.Stat_t{Mode: unix.S_IFREG}
		place.SetDevice(&dst.stat.Dev, e.dst.Dir.ID)
		return dst, nil
	}
	if err := place.Fstat(fd, &dst.stat); err != nil {
		unix.Close(fd)
		return nil, &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	}
	return dst, nil
}

// empty cuts an existing file to nothing, once it is sure that this is not the
// source. While it is filled it has none of the permissions that it is to
// lose. A file that is to share the source's blocks is not touched before that
// has worked.
func (w *worker) empty(dst, src *file) *Problem {
	if !dst.regular() {
		return nil
	}
	if place.IDOf(&dst.stat) == place.IDOf(&src.stat) {
		return &Problem{What: SameFile, Source: src.at.Path(), Dest: dst.at.Path()}
	}
	if w.options.Data.Reflink == ReflinkAlways {
		return nil
	}
	if excess := dst.stat.Mode & attr.Permissions &^ src.stat.Mode; excess != 0 && w.options.Preserve.has(Mode) {
		place.Fchmod(dst.fd, dst.stat.Mode&(attr.Permissions|attr.SetID)&^excess) // if not ours, preserving the mode says so
	}
	return w.continueOrEmpty(dst, src)
}

// finishRegular gives a file with its contents its attributes.
func (w *worker) finishRegular(e *entry, dst, src *file) *Problem {
	if dst.staging != nil && dst.staging.old != nil {
		if p := w.inherit(dst); p != nil {
			return p
		}
	}
	p := w.keep(&attr.Pair{
		From: attr.Opened(src.fd, src.at), To: attr.Opened(dst.fd, dst.at),
		Source: &e.stat, Was: &dst.stat, Fresh: dst.fresh,
	})
	omitted := e.stat.Mode & attr.Permissions & w.omitted(0) &^ w.umask
	if p != nil || omitted == 0 || w.options.PlainModes || w.options.Preserve.has(Mode) || !dst.fresh {
		return p
	}
	if err := place.Fchmod(dst.fd, e.stat.Mode&attr.Permissions&^w.umask); err != nil {
		return &Problem{What: PreservePermissions, Dest: dst.at.Path(), Err: err}
	}
	return nil
}
