package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// An Action is what becomes of a source, and of what is at its destination.
type Action uint8

const (
	undecided  Action = iota
	Skip              // nothing: the destination stays as it is
	Create            // nothing is at the destination
	WriteInto         // what is there gets new contents
	Renew             // a new file is made beside what is there, gets its owner and permissions, and is renamed
	PutBeside         // a new file is made beside what is there and renamed
	Fill              // what is there is a directory, and gets what is in the source
	Link              // the destination becomes another name of an earlier copy
	LinkBeside        // and takes the place of what is there
	Rename            // the source itself goes there
	actions
)

var actionNames = [actions]string{
	undecided:  "undecided",
	Skip:       "skip",
	Create:     "create",
	WriteInto:  "write into",
	Renew:      "renew",
	PutBeside:  "put beside and rename",
	Fill:       "fill",
	Link:       "link",
	LinkBeside: "link beside and rename",
	Rename:     "rename",
}

func (a Action) String() string { return actionNames[a] }

// beside reports whether what is made takes the place of another file.
func (a Action) beside() bool { return a == PutBeside || a == LinkBeside }

// links reports whether the destination becomes a name of an earlier copy.
func (a Action) links() bool { return a == Link || a == LinkBeside }

// A decision is made before anything is touched, and then carried out.
type decision struct {
	action Action
	// otherwise is done instead of Rename, if source and destination turn out to be
	// on two filesystems.
	otherwise Action

	found  *unix.Stat_t // what is at the destination; nil if nothing is, or a symbolic link that leads nowhere
	backup place.Place  // what was at the destination is here now, if this has a name
	older  place.Place  // and what was there
}

// decide looks at what is at the destination, and refuses what must not be
// done to it.
func (c *Copier) decide(e *entry) *Problem {
	p := c.decideCopy(e)
	if p == nil && c.mover.renames(e) {
		e.action, e.otherwise = Rename, e.action
	}
	return p
}

// isFound reports whether source and destination are two names of one file, of
// which the first only has to go.
func (e *entry) isFound() bool {
	return e.found != nil && !e.is(unix.S_IFDIR) && place.IDOf(e.found) == place.IDOf(&e.stat)
}

// decideCopy decides how a source is copied.
func (c *Copier) decideCopy(e *entry) *Problem {
	if p := c.find(e); p != nil {
		return p
	}
	if e.found != nil {
		if p := c.decideFound(e); p != nil || e.action == Skip {
			return p
		}
	}
	if e.role == byUser && e.action != PutBeside && c.options.Backup.none() && c.memory.justCreated(e) && place.IsLink(e.dst) {
		return &Problem{What: ThroughJustCreatedLink, Source: e.src.Path(), Dest: e.dst.Path()}
	}
	return nil
}

// find fills in what is found. A regular file is written through a symbolic
// link; any other takes the link's place.
func (c *Copier) find(e *entry) *Problem {
	if e.dst.Fresh() {
		e.action = Create
		return nil
	}
	flags := unix.AT_SYMLINK_NOFOLLOW
	switch {
	case e.is(unix.S_IFDIR) && c.options.KeepDirectoryLinks:
		flags = 0
	case !c.through(e):
	case e.action == Create: // as was seen before
		return nil
	default:
		flags = 0
	}
	var st unix.Stat_t
	err := place.Stat(e.dst, &st, flags)
	switch {
	case err == nil:
		e.found = &st
	case err == unix.ENOENT:
		e.action = Create
	case err == unix.ELOOP && c.options.Existing.has(Force) && e.is(unix.S_IFDIR):
		e.action = Create // which says that the link exists
	case err == unix.ELOOP && c.options.Existing.has(Force):
		e.action = c.writes(e) // opening will fail too, and the link be replaced
	default:
		return &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	}
	return nil
}

// hasContents reports whether the source is copied by its contents.
func (c *Copier) hasContents(e *entry) bool {
	if c.options.Recursive && !c.options.Contents {
		return e.is(unix.S_IFREG)
	}
	return !e.is(unix.S_IFDIR) && !e.is(unix.S_IFLNK)
}

// through reports whether the contents of the source will be written to what is
// at the destination, so that it matters where that leads.
func (c *Copier) through(e *entry) bool {
	o := &c.options
	return c.hasContents(e) && o.Make == Copies && o.Backup.none() && !o.Existing.has(Replace)
}

// decideFound decides upon what is at the destination.
func (c *Copier) decideFound(e *entry) *Problem {
	same := false
	if c.options.Update < UpdateNone {
		var fine bool
		if fine, same = c.distinct(e); !fine {
			return &Problem{What: SameFile, Source: e.src.Path(), Dest: e.dst.Path()}
		}
	}
	if skip, p := c.skips(e); skip || same {
		if skip && (p == nil || p.What == Declined) {
			c.skipped(e)
		}
		e.action = Skip
		return p
	}
	source, dest := e.is(unix.S_IFDIR), place.IsKind(e.found, unix.S_IFDIR)
	switch {
	case source && !dest && !c.backsUp(e):
		return &Problem{What: DirectoryOverFile, Source: e.src.Path(), Dest: e.dst.Path()}
	case c.overMoved(e), !dest && e.role == byUser && c.options.Backup.Control != Numbered && c.memory.justCreated(e) && (!c.through(e) || !place.IsLink(e.dst)):
		return &Problem{What: OverJustCreated, Source: e.src.Path(), Dest: e.dst.Path()}
	case !source && dest:
		return &Problem{What: FileOverDirectory, Source: e.src.Path(), Dest: e.dst.Path()}
	case dest:
		e.action = Fill
		return nil
	case c.backsUp(e):
		return c.backUp(e)
	case c.replaces(e):
		e.action = PutBeside
	default:
		e.action = c.writes(e)
	}
	return nil
}

// writes is how what was found gets new contents.
func (c *Copier) writes(e *entry) Action {
	if c.options.Atomic {
		return Renew
	}
	return WriteInto
}

// replaces reports whether a new file takes the place of what was found.
func (c *Copier) replaces(e *entry) bool {
	switch {
	case c.options.Existing.has(Replace):
		return true
	case c.options.AttributesOnly:
		return false
	case c.options.Preserve.has(Names) && e.found.Nlink > 1:
		return true // the other names of the old file stay as they are
	}
	return !c.follows(e) && !e.is(unix.S_IFREG)
}
