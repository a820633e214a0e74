package filecopy

import "golang.org/x/sys/unix"

// memory is what must be known of the sources copied before: cp a b/a c would
// copy b/a over the copy of a, and cp -r d d would never end.
type memory struct {
	sources map[fileID][]place  // files that the user named
	names   map[string]struct{} // what their copies are called in the target directory
	dirs    map[fileID]place    // directories that were named, the first made for each, and those being filled; where their copies are
	copies  map[fileID]place    // copies of files with more than one name

	reserved map[fileID]map[string]struct{} // by directory, names that no temporary may have
}

func newMemory() memory {
	return memory{
		sources: map[fileID][]place{},
		names:   map[string]struct{}{},
		dirs:    map[fileID]place{},
		copies:  map[fileID]place{},

		reserved: map[fileID]map[string]struct{}{},
	}
}

// sourceTwice remembers a source, and reports whether it was named before.
func (m *memory) sourceTwice(e *entry) bool {
	id := idOf(&e.stat)
	for _, other := range m.sources[id] {
		if sameName(e.src, other) {
			return true
		}
	}
	m.sources[id] = append(m.sources[id], e.src)
	return false
}

// created remembers the name of a copy.
func (m *memory) created(e *entry) { m.names[e.dst.path()] = struct{}{} }

func (m *memory) justCreated(e *entry) bool {
	_, ok := m.names[e.dst.path()]
	return ok
}

// forget takes back that a source was met: its copy could not be made.
func (m *memory) forget(e *entry) {
	id := idOf(&e.stat)
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
	id := idOf(&e.stat)
	copied, again := c.memory.dirs[id]
	switch {
	case !again && e.role == byUser:
		c.memory.dirs[id] = e.dst
		return nil
	case !again:
		return nil
	case sameName(e.src, copied):
		return c.intoItself()
	case sameName(e.dst, copied):
		return &Problem{What: DirectoryTwice, Source: c.operand.src.path()}
	case c.follows(e):
		return nil // symbolic links lead to it
	}
	return &Problem{What: HardLinkToDirectory, Source: copied.path(), Dest: e.dst.path()}
}

// intoItself ends the copy of what the user named.
func (c *Copier) intoItself() *Problem {
	c.halted = true
	return &Problem{What: IntoItself, Source: c.operand.src.path(), Dest: c.operand.dst.path()}
}

// reserve keeps a name in a directory from temporaries if it could be one of
// theirs: a source is called so that will be copied into it. It is called for all
// sources before any of them is copied there, and while no worker copies to that
// directory.
func (c *Copier) reserve(d *directory, name string) {
	names := c.memory.reserved[d.id] // also those of sources that were copied before
	if mayBeTemporary(name) {
		if names == nil {
			names = map[string]struct{}{}
			c.memory.reserved[d.id] = names
		}
		names[name] = struct{}{}
	}
	d.reserve(names)
}
