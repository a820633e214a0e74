package filecopy

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
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

// rename moves a source by its name alone, with all that is in it, or reports
// that it crosses a boundary between filesystems.
func (c *Copier) rename(e *entry) (crosses bool, p *Problem) {
	if e.isFound() {
		return false, c.removeName(e) // rename(2) would do nothing
	}
	if p := c.syncSource(e); p != nil {
		return false, p
	}
	give := place.RenameNew
	if e.found != nil {
		give = place.Rename
	}
	err := give(e.src, e.dst)
	switch {
	case err == nil:
		c.ledger.rememberRenamed(e)
		c.renamed(e)
		return false, nil
	case err == unix.EXDEV:
		return true, nil
	case err == unix.EINVAL && e.is(unix.S_IFDIR):
		return false, &Problem{What: MoveIntoItself, Source: e.src.Path(), Dest: e.dst.Path()}
	}
	return false, &Problem{What: Move, Source: e.src.Path(), Dest: e.dst.Path(), Err: err}
}

func (w *worker) renamed(e *entry) {
	e.gone, e.placed = true, true
	if e.is(unix.S_IFREG) {
		w.gauge.completed.files.Add(1)
		w.gauge.completed.bytes.Add(e.stat.Size)
	}
	if w.details() {
		w.tell(Renamed{e.src.Path(), e.dst.Path(), e.backupPath()})
	}
}

// removeName removes a source that is another name of what is at the
// destination. A backup of that, which is a name of the source too, has changed
// the time of its last change of state.
func (c *Copier) removeName(e *entry) *Problem {
	var now unix.Stat_t
	if err := place.Stat(e.src, &now, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &Problem{What: RemoveSource, Source: e.src.Path(), Err: err}
	}
	if place.IDOf(&now) != place.IDOf(&e.stat) {
		return &Problem{What: SourceChanged, Source: e.src.Path()}
	}
	p := c.removeSource(e, &now)
	if p == nil {
		c.ledger.rememberNamed(e.dst)
	}
	return p
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

// tick is longer than the step of a file's times before Linux 6.13, which is that
// of the kernel's clock: at most 10 ms (CONFIG_HZ=100).
const tick = 10 * time.Millisecond

// watch has every store to the source from now on change its ctime, also one
// through a shared mapping. A page that is dirty already takes stores without a
// word; once written back, it is mapped read-only, and the next store is a fault
// that sets the times. sync_file_range(2) does that without waiting for the
// journal. tmpfs, which writes nothing back, has no such fault.
func (m *mover) watch(src *file) {
	if m == nil || !src.regular() {
		return
	}
	if age := time.Since(time.Unix(src.stat.Ctim.Unix())); age >= 0 && age < tick {
		time.Sleep(tick - age) // a change in the same step would not show
	}
	const writeBack = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	// An error is one of writing the source, which is read from the page cache;
	// those who wrote it are still told by their own fsync(2).
	_ = place.Retry(func() error { return unix.SyncFileRange(src.fd, 0, 0, writeBack) })
}

// changed reports whether a file is another one, or was written to, or had its
// attributes changed.
func changed(was, now *unix.Stat_t) bool {
	return place.IDOf(was) != place.IDOf(now) || was.Size != now.Size || was.Mtim != now.Mtim || was.Ctim != now.Ctim
}

// vanished reports whether a file has lost its last name, and nothing else: then
// the copy is all that is left.
func vanished(was, now *unix.Stat_t) bool {
	return now.Nlink == 0 && place.IDOf(was) == place.IDOf(now) && was.Size == now.Size && was.Mtim == now.Mtim
}

// vouch makes sure, before a copy takes its place, that the source is as it was,
// and that the copy is as long and has the attributes that it should have.
func (m *mover) vouch(w *worker, dst, src *file) *Problem {
	if m == nil {
		return nil
	}
	var from, to unix.Stat_t
	_, err := place.IdentifyOpen(src.fd)
	if err == nil {
		err = place.Fstat(src.fd, &from)
	}
	if err != nil {
		return &Problem{What: StatSource, Source: src.at.Path(), Err: err}
	}
	if err := place.Fstat(dst.fd, &to); err != nil {
		return &Problem{What: StatDest, Dest: dst.at.Path(), Err: err}
	}
	if changed(&src.stat, &from) && !vanished(&src.stat, &from) {
		return &Problem{What: SourceChanged, Source: src.at.Path()}
	}
	if what := w.differingAttribute(&from, &to); what != "" {
		return &Problem{What: Differs, Source: src.at.Path(), Dest: dst.at.Path(), Err: plainError(what)}
	}
	return nil
}

// differingAttribute names one that the copy was to have and has not. What a
// user who is not root may not give is not expected.
func (w *worker) differingAttribute(from, to *unix.Stat_t) string {
	keeps := w.options.Preserve
	owned := from.Uid == to.Uid && from.Gid == to.Gid
	switch {
	case from.Size != to.Size:
		return "in length"
	case keeps.has(Ownership) && w.privileged && !owned:
		return "in owner"
	case keeps.has(Mode) && (from.Mode^to.Mode)&attr.Permissions != 0:
		return "in permissions"
	case keeps.has(Timestamps) && !sameTime(from.Mtim, to.Mtim):
		return "in time of change"
	}
	return ""
}

// sameTime allows for what filesystems keep of times: whole seconds, some only
// even ones.
func sameTime(a, b unix.Timespec) bool {
	distance := a.Nano() - b.Nano()
	return max(distance, -distance) < 2e9
}

// syncSource has a source on disk that is to be renamed, if that is wanted: after
// a loss of power its new name would otherwise lead to an empty file. A directory
// is written back with all else on its filesystem.
func (c *Copier) syncSource(e *entry) *Problem {
	regular := e.is(unix.S_IFREG)
	if !c.options.Fsync || !regular && !e.is(unix.S_IFDIR) {
		return nil
	}
	sync, at, flags := unix.Syncfs, e.src, place.DirectoryFlags
	if regular {
		sync, flags = unix.Fsync, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK
	}
	fd, err := place.Open(at, flags, 0)
	if err == unix.EACCES { // to rename it, it need not be readable
		sync = unix.Syncfs
		fd, err = place.Open(at.Sibling("."), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	}
	if err == unix.EACCES {
		unix.Sync()
		return nil
	}
	if err == nil {
		err = place.Retry(func() error { return sync(fd) })
		unix.Close(fd)
	}
	if err != nil {
		return &Problem{What: Sync, Dest: e.src.Path(), Err: err}
	}
	return nil
}

// syncNames has on disk what became of a source's name and its copy's.
func (c *Copier) syncNames(e *entry) {
	p := syncDirectory(e.dst)
	if p == nil && c.mover != nil {
		p = syncDirectory(e.src)
	}
	if p != nil {
		c.report(p)
	}
}

// unkept refuses a move to a filesystem that cannot keep the attributes of the
// source. It tries them on the empty copy, where the filesystem is none that
// keeps all.
func (m *mover) unkept(w *worker, e *entry, dst, src *file) *Problem {
	if m == nil || !src.regular() || !dst.regular() || keepsSizes(w.devices.filesystem(dst)) {
		return nil
	}
	to, keeps := attr.Opened(dst.fd, dst.at), w.options.Preserve
	var lost []string
	if keeps.has(Mode) {
		k := &attr.Pair{From: attr.Opened(src.fd, src.at), To: to, Source: &e.stat, Was: &dst.stat, Fresh: true}
		if attr.KeepMode(k, e.stat.Mode&attr.Permissions) != nil {
			lost = append(lost, "mode")
		}
	}
	if keeps.has(Ownership) && w.privileged {
		to.Chown(int(e.stat.Uid), int(e.stat.Gid)) // what comes of it is seen below
	}
	if keeps.has(Timestamps) {
		to.Touch(e.stat.Atim, e.stat.Mtim)
	}
	if err := place.Fstat(dst.fd, &dst.stat); err != nil {
		return &Problem{What: StatDest, Dest: dst.at.Path(), Err: err}
	}
	from, now := &e.stat, &dst.stat
	if keeps.has(Mode) && lost == nil && (from.Mode^now.Mode)&attr.Permissions != 0 {
		lost = append(lost, "mode")
	}
	if keeps.has(Ownership) && w.privileged && (from.Uid != now.Uid || from.Gid != now.Gid) {
		lost = append(lost, "ownership")
	}
	if keeps.has(Timestamps) && !sameTime(from.Mtim, now.Mtim) {
		lost = append(lost, "timestamps")
	}
	if lost == nil {
		return nil
	}
	return &Problem{
		What: Unkept, Source: e.src.Path(), Dest: e.dst.Path(),
		Err: plainError("--no-preserve=" + strings.Join(lost, ",") + " moves it without them"),
	}
}
