package filecopy

import (
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A staged copy is written to a file that has no name (O_TMPFILE, open(2)), or
// a temporary one where the filesystem has no such files. It gets the
// destination's name when it is complete, by one linkat(2) or renameat2(2):
// whoever looks at any moment, also after this process was killed, finds the
// old file or the new one.

// staging is where a staged copy is and what becomes of it.
type staging struct {
	to        place.Place  // the destination, which is no symbolic link
	over      bool         // there is something to be replaced
	old       *unix.Stat_t // whose owner and permissions the copy is to have, if any
	temporary place.Place  // what the copy is called now; no name if it has none
}

// stages reports whether a copy gets its name when it is complete. Where a tree
// counts as a whole, nobody looks for the files in it before.
func (s *setting) stages(e *entry) bool {
	return s.options.Atomic && (s.sources == nil || e.role == byUser)
}

// openStaged opens a file that is to take the place of the destination.
func (w *worker) openStaged(e *entry, src *file) (*file, *Problem) {
	s, p := w.stagingFor(e, src)
	if p != nil {
		return nil, p
	}
	if err := s.to.Impossible(); err != nil {
		return nil, &Problem{What: CreateFile, Dest: e.dst.Path(), Err: err}
	}
	dst := &file{fd: -1, at: e.dst, home: s.to, flags: w.writing(), fresh: true, staging: s}
	if w.options.Resume {
		w.adopt(dst)
	} else {
		place.Sweep(s.to)
	}
	mode := w.createMode(e)
	if s.old != nil && !w.options.Preserve.has(Mode) {
		mode &= s.old.Mode & unix.S_IRWXU // the rest comes with the old file's owner
	}
	if dst.fd < 0 {
		if err := dst.make(mode, w.options.Resume); err != nil {
			return nil, &Problem{What: CreateFile, Dest: e.dst.Path(), Err: err}
		}
	}
	w.temporaries.set(s)
	if err := place.Fstat(dst.fd, &dst.stat); err != nil {
		dst.abandon()
		return nil, &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	}
	if dst.stat.Size > 0 {
		if p := w.continueOrEmpty(dst, src); p != nil {
			unix.Close(dst.fd)
			return nil, p
		}
	}
	return dst, nil
}

// stagingFor finds out which file will be replaced, and refuses what cp would
// refuse to write to, and what is no regular file.
func (w *worker) stagingFor(e *entry, src *file) (*staging, *Problem) {
	s := &staging{to: e.dst}
	switch {
	case e.action == PutBeside:
		s.over = true
		return s, nil
	case e.found != nil && !place.IsKind(e.found, unix.S_IFREG):
		return nil, &Problem{What: Irreplaceable, Dest: e.dst.Path()}
	case e.found != nil:
	case e.dst.Fresh():
		return s, nil
	case strings.HasSuffix(e.dst.Name, "/"):
		return nil, &Problem{What: CreateFile, Dest: e.dst.Path(), Err: unix.ENOTDIR}
	}
	to, err := resolve(e.dst)
	switch {
	case err == unix.ELOOP && w.options.Existing.has(Force):
		s.over = true
		return s, nil
	case e.found == nil && to != e.dst && !w.options.Dangling:
		return nil, &Problem{What: ThroughDanglingLink, Dest: e.dst.Path()}
	case err != nil:
		return nil, &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	}
	s.to = to
	return s, w.stageOver(s, e, src)
}

// stageOver looks at what will be replaced, if there is something.
func (w *worker) stageOver(s *staging, e *entry, src *file) *Problem {
	var st unix.Stat_t
	err := place.Stat(s.to, &st, unix.AT_SYMLINK_NOFOLLOW)
	if s.to != e.dst {
		err = leads(e.dst, &st, err)
	}
	switch {
	case err == unix.ENOENT:
		return nil
	case err != nil:
		return &Problem{What: StatDest, Dest: e.dst.Path(), Err: err}
	case e.action == Create: // it was not there when it was decided what becomes of it
		return &Problem{What: Commit, Dest: e.dst.Path(), Err: unix.EEXIST}
	case place.IDOf(&st) == place.IDOf(&src.stat):
		return &Problem{What: SameFile, Source: e.src.Path(), Dest: e.dst.Path()}
	case !place.IsKind(&st, unix.S_IFREG):
		return &Problem{What: Irreplaceable, Dest: e.dst.Path()}
	}
	s.old, s.over = &st, true
	if w.options.Existing.has(Force) {
		return nil
	}
	if err := place.Access(s.to, unix.W_OK, 0); err != nil {
		return &Problem{What: CreateFile, Dest: e.dst.Path(), Err: err}
	}
	return nil
}

// leads has the kernel follow the links at a place, too, and returns its error,
// or ESTALE if it finds something else than there was: a file without a name
// behind a link in /proc, or a link that was changed meanwhile. It follows none
// that others have put into a directory like /tmp (protected_symlinks,
// proc_sys_fs(5)).
func leads(p place.Place, found *unix.Stat_t, err error) error {
	var st unix.Stat_t
	switch again := place.Stat(p, &st, 0); {
	case again != nil:
		return again
	case err != nil || place.IDOf(&st) != place.IDOf(found):
		return unix.ESTALE
	}
	return nil
}

// writing is how a destination is opened: what is to be compared has to be
// read, too.
func (w *worker) writing() int {
	if w.options.Verify || w.options.Resume {
		return unix.O_RDWR
	}
	return unix.O_WRONLY
}

// make opens a new file, without a name unless one is asked for, if it can.
func (f *file) make(mode uint32, named bool) (err error) {
	s := f.staging
	if !named && namesDescriptors() {
		f.fd, err = place.Open(s.to.Sibling("."), f.flags|unix.O_TMPFILE, mode)
		if err == nil {
			return nil
		}
	}
	s.temporary, err = place.Claim(s.to, func(q place.Place) (err error) {
		f.fd, err = place.Open(q, f.flags|unix.O_CREAT|unix.O_EXCL, mode)
		if err != nil {
			return err
		}
		if err := f.hold(q); err != nil {
			unix.Close(f.fd)
			return err
		}
		return nil
	})
	return err
}

// hold locks a temporary that was made just now. The error is EEXIST if another
// process took it for abandoned meanwhile.
func (f *file) hold(q place.Place) error {
	err := place.TryLock(f.fd)
	if err == unix.EWOULDBLOCK {
		return unix.EEXIST
	}
	if err != nil {
		return nil // no locks here: what is left behind stays
	}
	var st unix.Stat_t
	if err := place.Fstat(f.fd, &st); err != nil {
		return err
	}
	if st.Nlink == 0 {
		return unix.EEXIST
	}
	return nil
}

// namesDescriptors reports whether a file can get a name by its descriptor,
// which takes /proc.
var namesDescriptors = sync.OnceValue(func() bool {
	return unix.Access("/proc/self/fd", unix.X_OK) == nil
})

// maxLinks is how many symbolic links in a row the kernel follows,
// path_resolution(7).
const maxLinks = 40

// resolve follows the symbolic links at a place, up to a file or to where one
// can be made: ELOOP if they do not end.
func resolve(p place.Place) (place.Place, error) {
	for range maxLinks {
		target, err := place.Readlink(p, 0)
		if err == unix.EINVAL || err == unix.ENOENT {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		if strings.HasPrefix(target, "/") {
			p = place.Path(target)
		} else {
			p = p.Sibling(target)
		}
	}
	return p, unix.ELOOP
}
