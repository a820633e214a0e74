package filecopy

import (
	"zeroutils/internal/filecopy/place"

	"zeroutils/internal/filecopy/attr"
)

// copyLink makes a symbolic link like the source.
func (c *Copier) copyLink(e *entry) *Problem {
	text, err := place.Readlink(e.src, e.stat.Size)
	if err != nil {
		return &Problem{What: ReadLink, Source: e.src.Path(), Err: err}
	}
	if p := c.putLink(e, CreateLink, text); p != nil {
		return p
	}
	return c.keep(&attr.Pair{From: attr.Named(e.src), To: attr.Named(e.dst), Source: &e.stat, Fresh: true, Link: true})
}

// copySpecial makes a FIFO, a device or a socket like the source.
func (c *Copier) copySpecial(e *entry, what What) *Problem {
	mode := e.stat.Mode &^ c.omitted(0)
	p := c.put(e, what, func(p place.Place) error {
		return place.Mknod(p, mode, int(e.stat.Rdev))
	})
	if p != nil {
		return p
	}
	p = c.keep(&attr.Pair{From: attr.Named(e.src), To: attr.Named(e.dst), Source: &e.stat, Fresh: true})
	omitted := e.stat.Mode & attr.Permissions & c.omitted(0) &^ c.umask
	if p != nil || omitted == 0 || c.options.PlainModes || c.options.Preserve.has(Mode) {
		return p
	}
	if err := (attr.Named(e.dst)).Chmod(e.stat.Mode & (attr.Permissions | attr.SetID) &^ c.umask); err != nil {
		return &Problem{What: PreservePermissions, Dest: e.dst.Path(), Err: err}
	}
	return nil
}
