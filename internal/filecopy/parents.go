package filecopy

import (
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// IntoParents copies a source into a directory under all of its name: the
// directories on the way are made like those of the source.
func (c *Copier) IntoParents(t *Target, source string) {
	name := strings.TrimRight(source, "/")
	base := place.Base(name)
	if base == "" {
		base = "."
	}
	above := name[:strings.LastIndexByte(name, '/')+1]
	p := &parents{Copier: c, last: t.dir, way: strings.TrimRight(above, "/")}
	defer p.close()
	if problem := p.make(t.dir); problem != nil {
		c.report(problem)
		return
	}
	p.slashes(above)
	c.reserve(p.last, base)
	c.start(&entry{src: place.Path(source), dst: place.In(p.last, base)})
	p.sync(t.dir)
	p.finish()
}

// sync has the names of what was made on disk, but for those in what was made.
func (p *parents) sync(target *place.Directory) {
	if !p.options.Fsync || len(p.made) == 0 {
		return
	}
	for _, d := range append(p.opened, target) {
		if problem := syncOpen(d); problem != nil {
			p.report(problem)
		}
	}
}

// parents are the directories on the way to one source.
type parents struct {
	*Copier
	way    string             // to the source's directory
	last   *place.Directory   // the innermost one
	opened []*place.Directory // those that were there
	made   []*filling         // those that get their attributes when the source is copied
}

// make makes those that are missing, and opens the innermost one.
func (p *parents) make(target *place.Directory) *Problem {
	begin := len(p.way) - len(strings.TrimLeft(p.way, "/"))
	if begin == len(p.way) {
		return nil
	}
	all := place.In(target, p.way[begin:])
	var st unix.Stat_t
	switch err := place.Stat(all, &st, 0); {
	case err == nil && !place.IsKind(&st, unix.S_IFDIR):
		return &Problem{What: ParentIsNoDirectory, Dest: all.Path()}
	case err == nil:
		return p.open(all, all.Path())
	}
	for at := begin; at < len(p.way); {
		rest := p.way[at:]
		name, _, _ := strings.Cut(rest, "/")
		end := at + len(name)
		p.slashes(p.way[:at])
		if problem := p.step(place.In(p.last, name), p.way[:end], place.Joinable(target.At.Path())+p.way[begin:end]); problem != nil {
			return problem
		}
		at = len(p.way) - len(strings.TrimLeft(p.way[end:], "/"))
	}
	return nil
}

// slashes has the innermost directory shown with as many slashes behind it as
// the user gave.
func (p *parents) slashes(way string) {
	if p.last.Shown != "" {
		p.last.Shown += way[len(strings.TrimRight(way, "/")):][1:]
	}
}

// open takes a directory as it is.
func (p *parents) open(at place.Place, shown string) *Problem {
	dir, err := place.OpenDirectory(at, new(unix.Stat_t), true)
	if err != nil {
		return &Problem{What: StatDest, Dest: at.Path(), Err: err}
	}
	dir.Shown, p.last = shown, dir
	p.opened = append(p.opened, dir)
	return nil
}

// step makes one directory like that of the source, if it is missing.
func (p *parents) step(at place.Place, source, shown string) *Problem {
	e := &entry{src: place.Path(source), dst: at, role: onTheWay, fd: -1}
	e.action = Create
	var found unix.Stat_t
	if place.Stat(at, &found, 0) == nil {
		e.action, e.found = Fill, &found
		if !place.IsKind(&found, unix.S_IFDIR) {
			return &Problem{What: ParentIsNoDirectory, Dest: shown}
		}
		if !p.options.Preserve.has(Mode | Ownership | Timestamps) {
			return p.open(at, shown)
		}
	}
	err := place.Stat(e.src, &e.stat, 0)
	if err == nil && !e.is(unix.S_IFDIR) {
		err = unix.ENOTDIR
	}
	if err != nil {
		return &Problem{What: StatParent, Source: source, Err: err}
	}
	made, problem := p.enter(e)
	if problem != nil {
		if problem.What == CreateDirectory {
			problem.What, problem.Dest = MakeParent, shown
		}
		return problem
	}
	made.dir.Shown, p.last = shown, made.dir
	p.made = append(p.made, &filling{entry: e, made: made})
	return nil
}

// finish gives the directories their attributes, the innermost one first.
func (p *parents) finish() {
	for i := len(p.made) - 1; i >= 0; i-- {
		f := p.made[i]
		f.problem = p.keepFilled(f)
		f.problem = p.syncFilled(f)
		if problem := p.leaveFilled(f); problem != nil {
			if problem.What == PreserveTimes {
				problem.What = PreserveParentTimes
			}
			p.report(problem)
		}
	}
}

func (p *parents) close() {
	for _, f := range p.made {
		f.made.dir.Close()
	}
	for _, dir := range p.opened {
		dir.Close()
	}
}
