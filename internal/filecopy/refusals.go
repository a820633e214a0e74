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
	if e.top && c.memory.justCreated(e) && isLink(e.dst) {
		return false, &Problem{What: ThroughJustCreatedLink, Source: e.src.path(), Dest: e.dst.path()}
	}
	return false, nil
}

// find fills in e.found. A regular file is written through a symbolic link;
// any other takes the link's place.
func (c *Copier) find(e *entry) *Problem {
	if e.dst.dir != nil && e.dst.dir.fresh {
		return nil
	}
	flags := 0
	if !c.written(e) {
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
		if c.options.Existing == Force {
			return nil // opening will fail too, and the link be replaced
		}
		fallthrough
	default:
		return &Problem{What: StatDest, Dest: e.dst.path(), Err: err}
	}
}

// written reports whether the contents of the source will be written to the
// destination, so that it matters where that leads.
func (c *Copier) written(e *entry) bool {
	return e.is(unix.S_IFREG) || !c.options.Recursive && !e.is(unix.S_IFDIR) && !e.is(unix.S_IFLNK)
}

func (c *Copier) inspectFound(e *entry) (done bool, p *Problem) {
	fine, done := c.distinct(e)
	switch {
	case !fine:
		return false, &Problem{What: SameFile, Source: e.src.path(), Dest: e.dst.path()}
	case done:
		return true, nil
	}
	source, dest := e.is(unix.S_IFDIR), isKind(e.found, unix.S_IFDIR)
	switch {
	case source && !dest:
		return false, &Problem{What: DirectoryOverFile, Source: e.src.path(), Dest: e.dst.path()}
	case !dest && e.top && c.memory.justCreated(e) && (!c.written(e) || !isLink(e.dst)):
		return false, &Problem{What: OverJustCreated, Source: e.src.path(), Dest: e.dst.path()}
	case !source && dest:
		return false, &Problem{What: FileOverDirectory, Dest: e.dst.path()}
	}
	e.replace = !dest && c.options.Links == CopyLinks && !e.is(unix.S_IFREG)
	return false, nil
}

// distinct reports whether the source may be copied to what was found, as far
// as they could be the same file. done says that they are one symbolic link
// with two names, so that there is nothing to copy.
func (c *Copier) distinct(e *entry) (fine, done bool) {
	same := idOf(&e.stat) == idOf(e.found)
	if c.options.Links == FollowLinks {
		return !same, false
	}
	sourceLink, destLink := e.is(unix.S_IFLNK), isKind(e.found, unix.S_IFLNK)
	switch {
	case sourceLink && destLink:
		one := sameName(e.src, e.dst)
		return !one, !one && same
	case !sourceLink && !destLink:
		return !same, false
	}
	// One is a link, perhaps to the other.
	source, dest := e.stat, *e.found
	if sourceLink && fstatat(e.src, &source, 0) != nil {
		return true, false
	}
	if destLink && fstatat(e.dst, &dest, 0) != nil {
		return true, false
	}
	return idOf(&source) != idOf(&dest), false
}
