package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A Renamer moves sources as mv(1) does. Within a filesystem it renames them.
// To another filesystem it copies what the user named as a whole, has the copy on
// disk, and only then removes the source: after a failure, a kill or a loss of
// power the whole source is there, or the whole copy is.
//
// It removes only what it has copied, and only if that has not changed since: what
// has come to a directory meanwhile stays, with the directory. It never renames
// over, or takes for a backup, what it has moved itself.
type Renamer struct {
	c        *Copier
	options  RenameOptions
	problems int // that were told, but for warnings
}

// RenameOptions say how sources are moved. The zero value is for mv without
// options whose standard input is no terminal.
type RenameOptions struct {
	Update   Update
	Ask      Ask
	Backup   Backup
	NoCopy   bool   // sources that cannot be renamed stay
	Exchange bool   // source and destination swap their names
	Label    string // is the security context that copies get, if it is not empty
	Data     Data
}

// Ask says which files the user is asked about before something takes their
// place.
type Ask uint8

const (
	AskNothing    Ask = iota
	AskUnwritable     // those that the user may not write to
	AskAll
)

// NewRenamer returns a Renamer. As New, it reads the umask.
func NewRenamer(o RenameOptions, l Listener) *Renamer {
	r := &Renamer{options: o}
	tell := l.Tell
	l.Tell = func(e Event) {
		if p, ok := e.(*Problem); ok && !p.Warning() {
			r.problems++
		}
		tell(e)
	}
	r.c = New(Options{
		Recursive: true, Links: CopyLinks, Existing: Replace, Backup: o.Backup,
		Preserve: Mode | Ownership | Timestamps | Names | Xattrs, Label: o.Label, Data: o.Data,
		Lossy: true, Safety: Safety{Atomic: true},
	}, l)
	r.c.ledger = &ledger{}
	r.c.sources = &sources{}
	return r
}

// Copier returns what copies: its gauge, report and temporaries are the Renamer's.
func (r *Renamer) Copier() *Copier { return r.c }

// Close gives back what the Renamer holds.
func (r *Renamer) Close() { r.c.Close() }

// NotTried is no error: rename(2) was not called yet.
const NotTried = unix.Errno(0)

// TryRename renames a source if nothing has the name dest. The error is a
// unix.Errno, EEXIST if something has. To is called with it, unless dest turns
// out to be a directory to move into.
func TryRename(dest, source string) error {
	return place.RenameNew(place.Path(source), place.Path(dest))
}

// Into moves a source into a directory, under the last component of its name.
// last says that no other source follows.
func (r *Renamer) Into(t *Target, source string, last bool) {
	e := &entry{src: place.Path(source), dst: place.In(t.dir, place.Base(source))}
	r.start(e, NotTried, last)
}

// To moves a source to a name. tried is what TryRename has returned, or NotTried.
func (r *Renamer) To(dest, source string, tried error) {
	r.start(&entry{src: place.Path(source), dst: place.Path(dest)}, tried, true)
}

func (r *Renamer) start(e *entry, tried error, last bool) {
	c := r.c
	e.role, e.fd = byUser, -1
	c.operand, c.marked, c.halted = e, false, false
	if p := r.move(e, tried); p != nil {
		e.failed = true
		c.report(p)
		c.takeBack(e)
	} else {
		c.keepBackup(e)
	}
	e.close()
	if e.gone {
		c.memory.forget(e) // another file may get its number
	}
	if !last && e.placed {
		c.ledger.rememberNamed(e.dst)
		c.memory.created(e)
	}
}

// move moves what the user named. tried is how rename(2) has failed, nil if it
// has not.
func (r *Renamer) move(e *entry, tried error) *Problem {
	if tried == error(NotTried) && !r.options.Exchange {
		tried = place.RenameNew(e.src, r.dest(e))
	}
	if tried == nil {
		r.renamed(e)
		return nil
	}
	p := r.decide(e, &tried)
	if p != nil || e.action == Skip {
		return p
	}
	if e.is(unix.S_IFDIR) {
		if p := r.c.directoryAgain(e); p != nil {
			return p
		}
	}
	if tried == unix.EEXIST || r.options.Exchange {
		tried = r.rename(e)
	}
	switch {
	case tried == nil:
		r.renamed(e)
		return nil
	case tried == unix.EINVAL && e.is(unix.S_IFDIR):
		return &Problem{What: MoveIntoItself, Source: e.src.Path(), Dest: e.dst.Path()}
	case tried != unix.EXDEV || r.options.NoCopy || r.options.Exchange:
		r.c.memory.forget(e)
		return r.cannotRename(e, tried)
	}
	return r.copyAcross(e)
}

// dest is the place of the destination. The empty name stands for the directory.
func (r *Renamer) dest(e *entry) place.Place {
	if e.dst.Name == "" {
		return place.In(e.dst.Dir, ".")
	}
	return e.dst
}

// rename renames over what was found, or swaps the names.
func (r *Renamer) rename(e *entry) error {
	switch {
	case r.options.Exchange && e.found == nil:
		return unix.ENOENT
	case r.options.Exchange:
		return place.Exchange(e.src, r.dest(e))
	case e.found != nil || e.dst.Name == "":
		return place.Rename(e.src, r.dest(e))
	}
	return place.RenameNew(e.src, e.dst)
}

func (r *Renamer) renamed(e *entry) {
	e.gone, e.placed = true, true
	if !r.c.details() {
		return
	}
	if r.options.Exchange {
		r.c.tell(Exchanged{e.src.Path(), e.dst.Path()})
		return
	}
	backup := ""
	if e.backup.Name != "" {
		backup = e.backup.Path()
	}
	r.c.tell(Renamed{e.src.Path(), e.dst.Path(), backup})
}

// cannotRename says why in mv's words. Where the destination must be the reason,
// the source is not named.
func (r *Renamer) cannotRename(e *entry, err error) *Problem {
	p := &Problem{What: Move, Source: e.src.Path(), Dest: e.dst.Path(), Err: err}
	if r.options.Exchange {
		p.What = Exchange
		return p
	}
	switch err {
	case unix.EDQUOT, unix.EEXIST, unix.EISDIR, unix.EMLINK, unix.ENOSPC, unix.ENOTEMPTY, unix.ETXTBSY:
		p.What = Overwriting
	}
	return p
}

// copyAcross moves a source to another filesystem.
func (r *Renamer) copyAcross(e *entry) *Problem {
	c := r.c
	if p := r.makeWay(e); p != nil {
		c.memory.forget(e)
		return p
	}
	before := r.problems
	c.sources = &sources{}
	sync := r.beginDurable(e)
	defer sync.close()
	p := c.carryOut(e)
	c.settle()
	c.batch.end()
	if e.is(unix.S_IFREG) && !e.action.links() {
		c.land(e)
	}
	if p != nil {
		c.memory.forget(e)
		return p
	}
	e.placed = true
	if r.problems > before {
		e.failed = true
		return nil // it was told why the source stays
	}
	if p := sync.finish(e); p != nil {
		return p
	}
	e.gone = (&removal{Copier: c, sources: c.sources}).remove(e)
	return nil
}

// makeWay decides how the copy comes to the destination's name. An old file stays
// until the copy is complete.
func (r *Renamer) makeWay(e *entry) *Problem {
	blocked := func(err error) *Problem {
		return &Problem{What: RemoveTarget, Source: e.src.Path(), Dest: e.dst.Path(), Err: err}
	}
	switch {
	case e.dst.Name == "" && e.is(unix.S_IFDIR): // what rmdir(2) says of "."
		return blocked(unix.EINVAL)
	case e.dst.Name == "": // what unlink(2) does
		return blocked(unix.EISDIR)
	case e.found == nil:
		e.action = Create
	case e.is(unix.S_IFDIR) && e.backup.Name == "":
		if err := place.Unlink(e.dst, unix.AT_REMOVEDIR); err != nil && err != unix.ENOENT {
			return blocked(err)
		}
		e.found, e.action = nil, Create
	default:
		if err := place.Access(e.dst.Sibling("."), unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
			return blocked(err)
		}
		if r.c.sticks(e) {
			return blocked(unix.EPERM)
		}
		e.action = PutBeside
	}
	return nil
}
