package filecopy

import "zeroutils/internal/filecopy/place"

// openLevels is how many directories along a path are kept open on either
// side. Deeper trees cost two calls more for each directory beyond it, and no
// more descriptors.
const openLevels = 32

// levelsFor is openLevels, or less where the process can open only so many more
// descriptors: besides two for each level, two files, a pipe, and two for the
// next level are open at a time.
func levelsFor(descriptors int) int {
	const others = 6
	return min(max((descriptors-others)/2, 1), openLevels)
}

// A level is one directory on its way: what is copied, and to where.
type level struct{ src, dst *place.Directory }

// descend notes that l is being copied, and parks what is far above it.
func (c *Copier) descend(l level) {
	c.levels = append(c.levels, l)
	if c.kept == 0 {
		c.kept = levelsFor(unusedDescriptors(l.dst.FD))
	}
	if far := len(c.levels) - 1 - c.kept; far >= 0 {
		c.settle() // workers may be at work in it
		c.levels[far].src.Park()
		c.levels[far].dst.Park()
	}
}

// ascend notes that inner, the innermost level, is done. It is still open, and
// through it the one above is opened again.
func (c *Copier) ascend(inner level) {
	c.wait(c.batch.openPages()) // what is left behind is open until its files are copied
	c.levels = c.levels[:len(c.levels)-1]
	if len(c.levels) == 0 {
		return
	}
	outer := c.levels[len(c.levels)-1]
	if err := outer.src.Unpark(inner.src); err != nil {
		c.report(&Problem{What: ReadDirectory, Source: outer.src.At.Path(), Err: err})
	}
	if err := outer.dst.Unpark(inner.dst); err != nil {
		c.report(&Problem{What: LostDirectory, Dest: outer.dst.At.Path(), Err: err})
	}
}

// lost reports whether a directory could not be opened again.
func (l level) lost() bool { return l.src.FD < 0 || l.dst.FD < 0 }
