package filecopy

import "zeroutils/internal/filecopy/place"

// copyLink makes a symbolic link like the source.
func (c *Copier) copyLink(e *entry) *Problem {
	text, err := place.Readlink(e.src, e.stat.Size)
	if err != nil {
		return &Problem{What: ReadLink, Source: e.src.Path(), Err: err}
	}
	if p := c.putLink(e, CreateLink, text); p != nil {
		return p
	}
	return c.keep(&keeping{from: handle{-1, e.src}, to: handle{-1, e.dst}, source: &e.stat, fresh: true, link: true})
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
	p = c.keep(&keeping{from: handle{-1, e.src}, to: handle{-1, e.dst}, source: &e.stat, fresh: true})
	omitted := e.stat.Mode & permissions & c.omitted(0) &^ c.umask
	if p != nil || omitted == 0 || c.options.PlainModes || c.options.Preserve.has(Mode) {
		return p
	}
	if err := (handle{-1, e.dst}).chmod(e.stat.Mode & (permissions | setID) &^ c.umask); err != nil {
		return &Problem{What: PreservePermissions, Dest: e.dst.Path(), Err: err}
	}
	return nil
}
