package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// copyDirectory copies a directory and all that is in it.
func (c *Copier) copyDirectory(e *entry) *Problem {
	c.busy(e)
	if c.sources == nil || e.role != byUser { // else it was asked before
		if p := c.directoryAgain(e); p != nil {
			return p
		}
	}
	if c.options.Links == FollowLinks {
		if p := c.circular(e); p != nil {
			return p
		}
	}
	made, p := c.enter(e)
	if p != nil {
		c.memory.forget(e)
		return p
	}
	if _, known := c.memory.dirs[made.dir.ID]; made.dir.Fresh && !known {
		c.memory.dirs[made.dir.ID] = e.dst // until it is filled: the source may lie above it
		defer delete(c.memory.dirs, made.dir.ID)
	}
	if c.options.OneFilesystem && len(c.levels) > 0 && c.levels[len(c.levels)-1].src.ID.Dev != uint64(e.stat.Dev) {
		c.begin(e, made, nil) // not what is in it
		c.end()
		return nil
	}
	src, err := c.openSourceDirectory(e, made.dir)
	if err != nil {
		c.report(&Problem{What: ReadDirectory, Source: e.src.Path(), Err: err})
	}
	c.begin(e, made, src)
	defer c.end()
	if err != nil {
		return nil
	}
	here := level{src, made.dir}
	c.descend(here)
	c.copyNames(e, here)
	c.ascend(here)
	return nil
}

// copyNames copies what is in a directory.
func (c *Copier) copyNames(e *entry, here level) {
	if c.dirents == nil {
		c.dirents = make([]byte, place.DirentBuffer)
	}
	names, err := place.ReadNames(here.src.FD, c.dirents)
	if err != nil {
		c.report(&Problem{What: ReadDirectory, Source: e.src.Path(), Err: err})
	}
	for _, found := range names.Entries {
		c.reserve(here.dst, names.Name(found))
	}
	for _, found := range names.Entries {
		name := names.Name(found)
		c.copy(&entry{
			src:     place.In(here.src, name),
			dst:     place.In(here.dst, name),
			kind:    found.Kind,
			crosses: e.crosses,
		})
		if c.halted || here.lost() || c.stopped() {
			return
		}
	}
}

// openSourceDirectory hands the directory that look has opened over, or opens
// it. If the copy was made in it since, it is opened anew: the listing of one that
// was opened before does not show that on btrfs, and the copy would not be noticed.
func (c *Copier) openSourceDirectory(e *entry, made *place.Directory) (*place.Directory, error) {
	if e.fd >= 0 && made.Fresh {
		if in, err := e.dst.Parent(); err != nil || in == place.IDOf(&e.stat) {
			e.close()
		}
	}
	if e.fd >= 0 {
		d := &place.Directory{At: e.src, FD: e.fd, ID: place.IDOf(&e.stat)}
		e.fd = -1
		return d, nil
	}
	flags := place.DirectoryFlags
	if c.follows(e) {
		flags &^= unix.O_NOFOLLOW
	}
	return place.OpenAs(e.src, flags, new(unix.Stat_t))
}

// A madeDirectory is a destination that is open, and what is still to be done
// to it.
type madeDirectory struct {
	dir     *place.Directory
	stat    unix.Stat_t // when it was opened
	omitted uint32      // permissions that it shall have in the end
	opened  bool        // its owner has permissions that it shall not keep
}

// enter opens the destination directory, and makes it first if need be.
func (c *Copier) enter(e *entry) (*madeDirectory, *Problem) {
	m := &madeDirectory{}
	if e.action == Create {
		mode := e.stat.Mode & (attr.Permissions | attr.SetID)
		if e.role == onTheWay && c.options.PlainModes { // it stays so if the next one cannot be made
			mode = attr.Permissions
		}
		m.omitted = mode & c.omitted(unix.S_IWGRP|unix.S_IWOTH)
		if err := place.Mkdir(e.dst, mode&^m.omitted); err != nil {
			return nil, &Problem{What: CreateDirectory, Dest: e.dst.Path(), Err: err}
		}
	}
	var err error
	if m.dir, err = place.OpenDirectory(e.dst, &m.stat, e.action == Fill && (e.role == onTheWay || c.options.KeepDirectoryLinks)); err != nil {
		return nil, &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	}
	if e.action == Fill {
		if c.withinMoved(m.dir) {
			m.dir.Close()
			return nil, &Problem{What: OverJustCreated, Source: e.src.Path(), Dest: e.dst.Path()}
		}
		return m, nil
	}
	m.dir.Fresh = true
	p := c.openUp(m)
	if p == nil {
		c.batch.begin(m.dir)
		c.mover.beginDirectory(m)
		if c.nameNow(e, m.dir) {
			p = ensure(m.dir)
		}
	}
	if p != nil {
		m.dir.Close()
		return nil, p
	}
	if !c.marked && e.role != onTheWay {
		c.memory.dirs[m.dir.ID] = e.dst
		c.marked = true
	}
	c.copying(e)
	return m, nil
}

// openUp gives the owner of a new directory the permissions that filling it
// takes.
func (c *Copier) openUp(m *madeDirectory) *Problem {
	if m.stat.Mode&unix.S_IRWXU == unix.S_IRWXU {
		return nil
	}
	err := m.handle().Chmod(m.stat.Mode&^unix.S_IFMT | unix.S_IRWXU)
	if err != nil {
		return &Problem{What: OpenUpDirectory, Dest: m.dir.At.Path(), Err: err}
	}
	m.opened = true
	return nil
}

// handle reaches the directory's attributes.
func (m *madeDirectory) handle() attr.Handle {
	if m.dir.PathOnly {
		return attr.Named(m.dir.At)
	}
	return attr.Opened(m.dir.FD, m.dir.At)
}
