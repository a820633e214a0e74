package filecopy

import "golang.org/x/sys/unix"

// inspect looks at what is at the destination, and refuses what must not be
// done to it. done says that there is nothing left to do.
func (c *Copier) inspect(e *entry) (done bool, p *Problem) {
	if p := c.find(e); p != nil {
		return false, p
	}
	if e.found != nil {
		if done, p := c.inspectFound(e); p != nil || done {
			return done, p
		}
	}
	if e.top && !e.replace && c.options.Backup.none() && c.memory.justCreated(e) && isLink(e.dst) {
		return false, &Problem{What: ThroughJustCreatedLink, Source: e.src.path(), Dest: e.dst.path()}
	}
	return false, nil
}

// find fills in e.found. A regular file is written through a symbolic link;
// any other takes the link's place.
func (c *Copier) find(e *entry) *Problem {
	if e.dst.fresh() {
		return nil
	}
	flags := 0
	if e.is(unix.S_IFDIR) && c.options.KeepDirectoryLinks {
		flags = 0
	} else if !c.through(e) {
		flags = unix.AT_SYMLINK_NOFOLLOW
	} else if e.missing {
		return nil
	}
	var st unix.Stat_t
	switch err := fstatat(e.dst, &st, flags); err {
	case nil:
		e.found = &st
		return nil
	case unix.ENOENT:
		e.missing = true
		return nil
	case unix.ELOOP:
		if c.options.Existing.has(Force) {
			return nil // opening will fail too, and the link be replaced
		}
		fallthrough
	default:
		return &Problem{What: StatDest, Dest: e.dst.path(), Err: err}
	}
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

func (c *Copier) inspectFound(e *entry) (done bool, p *Problem) {
	if c.options.Update < UpdateNone {
		var fine bool
		if fine, done = c.distinct(e); !fine {
			return false, &Problem{What: SameFile, Source: e.src.path(), Dest: e.dst.path()}
		}
	}
	if skip, p := c.skips(e); skip || done {
		if skip && p == nil {
			c.skipped(e)
		}
		return true, p
	}
	source, dest := e.is(unix.S_IFDIR), isKind(e.found, unix.S_IFDIR)
	switch {
	case source && !dest && !c.backsUp(e):
		return false, &Problem{What: DirectoryOverFile, Source: e.src.path(), Dest: e.dst.path()}
	case c.overMoved(e), !dest && e.top && c.options.Backup.Control != Numbered && c.memory.justCreated(e) && (!c.through(e) || !isLink(e.dst)):
		return false, &Problem{What: OverJustCreated, Source: e.src.path(), Dest: e.dst.path()}
	case !source && dest:
		return false, &Problem{What: FileOverDirectory, Source: e.src.path(), Dest: e.dst.path()}
	}
	if dest {
		return false, nil
	}
	if c.backsUp(e) {
		return false, c.backUp(e)
	}
	e.replace = c.replaces(e)
	return false, nil
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
