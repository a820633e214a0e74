package filecopy

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// follows reports whether it is what a symbolic link leads to that is copied.
func (s *setting) follows(e *entry) bool {
	return s.options.Links == FollowLinks || s.options.Links == FollowNamed && e.role == byUser
}

// copyName makes the copy of a file another name of what was copied before, if
// the source is another name of that, and otherwise remembers it.
func (c *Copier) copyName(e *entry) (done bool, p *Problem) {
	if !c.remembers(e) {
		return false, nil
	}
	id := place.IDOf(&e.stat)
	first, again := c.memory.copies[id]
	if !again || !c.isFurtherName(e, first) {
		c.memory.copies[id] = place.In(e.dst.Dir, strings.Clone(e.dst.Name))
		c.rememberNames(e)
		return false, nil
	}
	if e.action == PutBeside {
		e.action = LinkBeside
	} else {
		e.action = Link
	}
	if first.Dir != e.dst.Dir {
		c.settle() // so that no worker is about to close that directory
	}
	leave, err := first.Reach()
	if err != nil {
		return true, &Problem{What: CreateHardLink, Source: first.Path(), Dest: e.dst.Path(), Err: err}
	}
	defer leave()
	return true, c.putHardLink(e, first, !e.dst.Fresh())
}

// remembers reports whether more names of the source may come, and matter.
func (c *Copier) remembers(e *entry) bool {
	o := &c.options
	return o.Preserve.has(Names) && o.Make != HardLinks && (e.stat.Nlink > 1 || c.follows(e) || c.ledger.knows(e))
}

// independent reports whether a file can be copied at the same time as others.
// Removing one name of a file that is moved changes it for who copies another.
func (c *Copier) independent(e *entry) bool {
	return !c.remembers(e) && (c.mover == nil || e.stat.Nlink == 1)
}

// putHardLink makes a hard link to first. What is in its way is replaced if it
// may be.
func (w *worker) putHardLink(e *entry, first place.Place, replace bool) *Problem {
	flags := 0
	if w.follows(e) {
		flags = unix.AT_SYMLINK_FOLLOW
	}
	made := e.dst
	link := func(p place.Place) error {
		made = p
		return place.Link(first, p, flags)
	}
	p := w.put(e, CreateHardLink, func(p place.Place) error {
		err := link(p)
		if err == unix.EEXIST && !e.action.beside() && replace {
			what, err := replaceBy(p, CreateHardLink, link)
			if w.options.Make != HardLinks {
				w.replaced(e, what, err)
			}
			return err
		}
		return err
	})
	if p == nil && made != e.dst {
		place.Unlink(made, 0) // rename(2) does nothing if both are one file
	}
	if p != nil && p.What == CreateHardLink {
		p.Source = first.Path()
	}
	return p
}

// putSymbolicLink makes a symbolic link to the source by its name.
func (w *worker) putSymbolicLink(e *entry) *Problem {
	name := e.src.Path()
	if !strings.HasPrefix(name, "/") && !w.here(e.dst) {
		return &Problem{What: RelativeLink, Dest: e.dst.Path()}
	}
	p := w.putLink(e, CreateLinkTo, name)
	if p == nil {
		return w.keep(&attr.Pair{From: attr.Named(e.src), To: attr.Named(e.dst), Source: &e.stat, Fresh: true, Link: true, Own: true})
	}
	if p.What == CreateLinkTo {
		p.Source = name
	}
	return p
}

// here reports whether a place is in the working directory. If that cannot be
// known, making a file there will say why.
func (w *worker) here(p place.Place) bool {
	in, err := p.Parent()
	var st unix.Stat_t
	return err != nil || place.Stat(place.Path("."), &st, 0) != nil || in == place.IDOf(&st)
}

// putLink makes a symbolic link. With Force it replaces also a file that has
// come to be since the place was looked at.
func (w *worker) putLink(e *entry, what What, text string) *Problem {
	link := func(p place.Place) error { return place.Symlink(text, p) }
	return w.put(e, what, func(p place.Place) error {
		err := link(p)
		if err == unix.EEXIST && !e.action.beside() && w.options.Existing.has(Force) && !e.dst.Fresh() {
			_, err = replaceBy(p, what, link)
		}
		return err
	})
}

// circular reports why a directory that a symbolic link leads to cannot be
// copied: it is one of those that are being copied, or that are being filled.
func (c *Copier) circular(e *entry) *Problem {
	id := place.IDOf(&e.stat)
	switch {
	case slices.ContainsFunc(c.levels, func(l level) bool { return l.src.ID == id }):
		return &Problem{What: CyclicLink, Source: e.src.Path()}
	case e.kind != unix.DT_DIR && slices.ContainsFunc(c.levels, func(l level) bool { return l.dst.ID == id }):
		return c.intoItself()
	}
	return nil
}
