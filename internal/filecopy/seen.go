package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// memory is what must be known of the sources copied before: cp a b/a c would
// copy b/a over the copy of a, and cp -r d d would never end.
type memory struct {
	sources map[place.FileID][]place.Place // files that the user named
	names   map[string]struct{}            // what their copies are called in the target directory
	dirs    map[place.FileID]place.Place   // directories that were named, the first made for each, and those being filled; where their copies are
	copies  map[place.FileID]place.Place   // copies of files with more than one name

	reserved map[place.FileID]map[string]struct{} // by directory, names that no temporary may have
}

func newMemory() memory {
	return memory{
		sources: map[place.FileID][]place.Place{},
		names:   map[string]struct{}{},
		dirs:    map[place.FileID]place.Place{},
		copies:  map[place.FileID]place.Place{},

		reserved: map[place.FileID]map[string]struct{}{},
	}
}

// sourceTwice remembers a source, and reports whether it was named before.
func (m *memory) sourceTwice(e *entry) bool {
	id := place.IDOf(&e.stat)
	for _, other := range m.sources[id] {
		if place.SameName(e.src, other) {
			return true
		}
	}
	m.sources[id] = append(m.sources[id], e.src)
	return false
}

// created remembers the name of a copy.
func (m *memory) created(e *entry) { m.names[e.dst.Path()] = struct{}{} }

func (m *memory) justCreated(e *entry) bool {
	_, ok := m.names[e.dst.Path()]
	return ok
}

// forget takes back that a source was met: its copy could not be made.
func (m *memory) forget(e *entry) {
	id := place.IDOf(&e.stat)
	if e.is(unix.S_IFDIR) {
		delete(m.dirs, id)
	} else if m.copies[id] == e.dst {
		delete(m.copies, id)
	}
}

// directoryAgain reports whether a directory is one that was named, or one
// that this copy has made, and if so why that is a problem. One that the user
// named is remembered.
func (c *Copier) directoryAgain(e *entry) *Problem {
	id := place.IDOf(&e.stat)
	copied, again := c.memory.dirs[id]
	switch {
	case !again && e.role == byUser:
		c.memory.dirs[id] = e.dst
		return nil
	case !again:
		return nil
	case place.SameName(e.src, copied):
		return c.intoItself()
	case place.SameName(e.dst, copied):
		return &Problem{What: DirectoryTwice, Source: c.operand.src.Path()}
	case c.follows(e):
		return nil // symbolic links lead to it
	}
	return &Problem{What: HardLinkToDirectory, Source: copied.Path(), Dest: e.dst.Path()}
}

// intoItself ends the copy of what the user named.
func (c *Copier) intoItself() *Problem {
	c.halted = true
	return &Problem{What: IntoItself, Source: c.operand.src.Path(), Dest: c.operand.dst.Path()}
}

// reserve keeps a name in a directory from temporaries if it could be one of
// theirs: a source is called so that will be copied into it. It is called for all
// sources before any of them is copied there, and while no worker copies to that
// directory.
func (c *Copier) reserve(d *place.Directory, name string) {
	names := c.memory.reserved[d.ID] // also those of sources that were copied before
	if place.MayBeTemporary(name) {
		if names == nil {
			names = map[string]struct{}{}
			c.memory.reserved[d.ID] = names
		}
		names[name] = struct{}{}
	}
	d.Reserve(names)
}
