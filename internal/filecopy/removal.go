package filecopy

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A removal takes sources away, as rm -r does, once their copies are on disk.
// What was not copied stays, with the directories above it: what has arrived
// since they were listed, and what has changed since it was copied.
type removal struct {
	*Copier
	sources *sources
	depth   int
}

// remove takes away what the user named, and reports whether all of it is gone.
// What stays is told.
func (r *removal) remove(e *entry) (gone bool) {
	if base := e.src.Base(); e.is(unix.S_IFDIR) && (base == "." || base == "..") {
		r.report(&Problem{What: DotDirectory, Source: e.src.Path()})
		return false
	}
	at := place.Path(oneSlash(e.src.Path()))
	var st unix.Stat_t
	if err := place.Stat(at, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		r.cannot(at, err)
		return false
	}
	v := r.file(at, &st)
	if v == stranger {
		r.report(&Problem{What: SourceChanged, Source: e.src.Path()})
	}
	return v == goes
}

// oneSlash trims the slashes at the end of a name to one, as fts(3) does.
func oneSlash(name string) string {
	for len(name) > 2 && strings.HasSuffix(name, "//") {
		name = name[:len(name)-1]
	}
	return name
}

func (r *removal) cannot(at place.Place, err error) {
	r.report(&Problem{What: RemoveSource, Source: at.Path(), Err: err})
}

// file removes one file and says whether it is gone, or else whether it was told
// why not: nothing is told of a stranger.
func (r *removal) file(at place.Place, st *unix.Stat_t) verdict {
	v := r.sources.judge(st)
	switch {
	case v == stranger:
		return v
	case v == different:
		r.report(&Problem{What: SourceChanged, Source: at.Path()})
		return v
	case place.IsKind(st, unix.S_IFDIR):
		return r.directory(at, st)
	}
	if err := r.unlink(at, st); err != nil {
		r.cannot(at, err)
		return different
	}
	r.told(at, false)
	return goes
}

func (r *removal) told(at place.Place, directory bool) {
	if r.details() {
		r.tell(Gone{at.Path(), directory})
	}
}

// unlink removes a name. That changes the state of a file that has more of them.
func (r *removal) unlink(at place.Place, st *unix.Stat_t) error {
	if st.Nlink < 2 {
		return place.Unlink(at, 0)
	}
	fd, err := place.Open(at, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := place.Unlink(at, 0); err != nil {
		return err
	}
	var now unix.Stat_t
	if err := place.Fstat(fd, &now); err != nil || place.IDOf(&now) != place.IDOf(st) || now.Size != st.Size || now.Mtim != st.Mtim {
		return nil // its other names stay
	}
	r.sources.note(&now)
	if o := r.ledger.originals[place.IDOf(&now)]; o != nil {
		o.changed = now.Ctim
	}
	return nil
}

// manyNames is from how many names on a directory is emptied in the order of
// inode numbers, which ext4 does faster. Up to there rm keeps the directory's
// order, too.
const manyNames = 10_000

// directory removes a directory with all that was copied of it.
func (r *removal) directory(at place.Place, st *unix.Stat_t) verdict {
	dir, err := place.OpenAs(at, place.DirectoryFlags, new(unix.Stat_t))
	if err != nil {
		r.cannot(at, err)
		return different
	}
	defer dir.Close()
	if dir.ID != place.IDOf(st) {
		return stranger
	}
	names, err := place.ListNames(dir.FD, r.buffer())
	if err != nil {
		r.cannot(at, err)
		return different
	}
	if len(names.Entries) > manyNames {
		names.Sort()
	}
	// Of a deep tree only the upper and the innermost directories are open.
	r.depth++
	defer func() { r.depth-- }()
	deep := at.Dir != nil && r.depth > openLevels
	if deep {
		at.Dir.Park()
	}
	left, strangers := false, 0
	for _, found := range names.Entries {
		switch r.inside(dir, names.Name(found)) {
		case stranger:
			strangers++
		case different:
			left = true
		}
		if dir.FD < 0 {
			return different // it could not be opened again, as was told
		}
	}
	if deep {
		if err := at.Dir.Unpark(dir); err != nil {
			r.cannot(at, err)
			return different
		}
	}
	switch {
	case strangers == 1:
		r.report(&Problem{What: Arrived, Source: at.Path(), Err: plainError("1 file arrived meanwhile")})
		return different
	case strangers > 1:
		r.report(&Problem{What: Arrived, Source: at.Path(), Err: plainError(fmt.Sprintf("%d files arrived meanwhile", strangers))})
		return different
	case left:
		return different
	}
	if err := place.Unlink(at, unix.AT_REMOVEDIR); err != nil {
		r.cannot(at, err)
		return different
	}
	r.told(at, true)
	return goes
}

// inside removes one file in a directory.
func (r *removal) inside(dir *place.Directory, name string) verdict {
	at := place.In(dir, name)
	var st unix.Stat_t
	if err := place.Stat(at, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		r.cannot(at, err)
		return different
	}
	return r.file(at, &st)
}

func (c *Copier) buffer() []byte {
	if c.dirents == nil {
		c.dirents = make([]byte, place.DirentBuffer)
	}
	return c.dirents
}
