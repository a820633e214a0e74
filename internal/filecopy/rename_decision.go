package filecopy

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// decide looks at source and destination, asks the user, and refuses what must
// not be done. tried is how rename(2) has failed: EEXIST from now on, if the
// destination is there.
func (r *Renamer) decide(e *entry, tried *error) *Problem {
	if *tried == unix.EEXIST && r.options.Update >= UpdateNone { // whatever they are
		_, p := r.keepsFound(e)
		return r.skip(e, p)
	}
	r.c.ledger.know(e, -1)
	if err := place.Stat(e.src, &e.stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &Problem{What: StatSource, Source: e.src.Path(), Err: err}
	}
	var st unix.Stat_t
	leadsNowhere := false
	switch err := place.Stat(r.dest(e), &st, unix.AT_SYMLINK_NOFOLLOW); {
	case err == nil:
		e.found, *tried = &st, unix.EEXIST
	case err == unix.ENOENT && *tried == unix.EEXIST && linkBeforeSlash(e.dst, &st):
		e.found, leadsNowhere = &st, true
	case err == unix.ENOENT:
		e.action = Create
		return nil
	default:
		return &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	}
	if r.options.Update < UpdateNone && !leadsNowhere && !r.distinct(e) {
		return &Problem{What: SameFile, Source: e.src.Path(), Dest: e.dst.Path()}
	}
	if skip, p := r.keepsFound(e); skip {
		return r.skip(e, p)
	}
	e.action = Rename
	if r.options.Exchange {
		return nil
	}
	return r.decideFound(e)
}

// linkBeforeSlash looks at a symbolic link whose name has a slash behind it. If the
// link leads nowhere, stat(2) says that nothing is there, and rename(2) that
// something is.
func linkBeforeSlash(p place.Place, st *unix.Stat_t) bool {
	name := strings.TrimRight(p.Name, "/")
	if name == "" || name == p.Name {
		return false
	}
	err := place.Stat(place.Place{Dir: p.Dir, Name: name}, st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && place.IsKind(st, unix.S_IFLNK)
}

// skip leaves source and destination as they are. p says why that is a failure.
func (r *Renamer) skip(e *entry, p *Problem) *Problem {
	e.action = Skip
	if p == nil || p.What == Declined {
		r.c.skipped(e)
	}
	return p
}

// keepsFound reports whether what was found stays, and whether that is a failure.
func (r *Renamer) keepsFound(e *entry) (skip bool, p *Problem) {
	c := r.c
	directory := e.is(unix.S_IFDIR)
	switch r.options.Update {
	case UpdateNone:
		return true, nil
	case UpdateNoneFail:
		return true, &Problem{What: NotReplaced, Dest: e.dst.Path()}
	case UpdateOlder:
		if !directory && !strings.HasSuffix(e.dst.Name, "/") && r.upToDate(e) { // a slash is behind a link that leads nowhere
			return true, nil
		}
	}
	ask := r.options.Ask == AskAll || r.options.Ask == AskUnwritable && !c.mayWrite(e)
	if ask && !c.confirmed(e) {
		return true, &Problem{What: Declined, Dest: e.dst.Path()}
	}
	return false, nil
}

// upToDate reports whether what was found is not older than the source. What is
// only renamed keeps its times to the last digit.
func (r *Renamer) upToDate(e *entry) bool {
	if e.stat.Dev == e.found.Dev {
		return e.found.Mtim.Nano() >= e.stat.Mtim.Nano()
	}
	return r.c.upToDate(e)
}

// decideFound refuses to replace what must stay, and makes the backup.
func (r *Renamer) decideFound(e *entry) *Problem {
	c := r.c
	source, dest, backs := e.is(unix.S_IFDIR), place.IsKind(e.found, unix.S_IFDIR), !r.options.Backup.none()
	switch {
	case source && !dest && !backs:
		return &Problem{What: DirectoryOverFile, Source: e.src.Path(), Dest: e.dst.Path()}
	case !dest && r.options.Backup.Control != Numbered && r.overMoved(e):
		return &Problem{What: OverJustCreated, Source: e.src.Path(), Dest: e.dst.Path()}
	case !source && dest && !backs:
		return &Problem{What: FileOverDirectory, Source: e.src.Path(), Dest: e.dst.Path()}
	case c.backsUp(e):
		return c.backUp(e)
	}
	return nil
}

// overMoved reports whether a source would take the place of what was moved
// before. A file that has another name besides is not lost, unless two sources
// have one name.
func (r *Renamer) overMoved(e *entry) bool {
	if !r.c.madeHere(e.dst) {
		return false
	}
	return e.found.Nlink == 1 || r.c.memory.justCreated(e)
}

// distinct reports whether the source may take the place of what was found, as
// far as they could be the same file.
func (r *Renamer) distinct(e *entry) bool {
	sourceLink, destLink := e.is(unix.S_IFLNK), place.IsKind(e.found, unix.S_IFLNK)
	same := place.IDOf(&e.stat) == place.IDOf(e.found)
	backs := !r.options.Backup.none()
	switch {
	case sourceLink && destLink && place.SameName(e.src, r.dest(e)):
		return false
	case sourceLink && destLink:
		return backs || !same // rename(2) would do nothing
	case backs:
		return !same || !place.SameName(e.src, r.dest(e))
	case destLink:
		return true
	case !sourceLink:
		return !same
	}
	return !r.leadsTo(e)
}

// leadsTo reports whether the source is a symbolic link to what was found, which
// would be lost. If that has more names, the one that the link leads to counts.
func (r *Renamer) leadsTo(e *entry) bool {
	if e.found.Nlink > 1 {
		if path, err := filepath.EvalSymlinks(e.src.Path()); err == nil {
			return place.SameName(place.Path(path), r.dest(e))
		} else if !os.IsNotExist(err) {
			return true
		}
	}
	var st unix.Stat_t
	return place.Stat(e.src, &st, 0) == nil && place.IDOf(&st) == place.IDOf(e.found)
}
