package filecopy

import (
	"fmt"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

// inherit gives a copy what cp, which writes into the old file, leaves of it:
// the owner and the permissions, where those of the source are not wanted.
func (w *worker) inherit(dst *file) *Problem {
	old := dst.staging.old
	k := &attr.Pair{
		From: attr.Named(dst.staging.to), To: attr.Opened(dst.fd, dst.at),
		Source: old, Was: &dst.stat, Fresh: true,
	}
	kept := false
	if !w.options.Preserve.has(Ownership) {
		var p *Problem
		if kept, p = w.keepOwner(k); p != nil {
			return p
		}
	}
	if !w.options.Preserve.has(Mode) {
		mode := old.Mode & (attr.Permissions | attr.SetID)
		if !kept || !w.privileged {
			mode &^= unix.S_ISUID | unix.S_ISGID // as a write does
		}
		if err := attr.KeepMode(k, mode); err != nil {
			return notKept(k, PreservePermissions, err)
		}
	}
	if err := place.Fstat(dst.fd, &dst.stat); err != nil {
		return &Problem{What: StatDest, Dest: dst.at.Path(), Err: err}
	}
	return nil
}

// commitOrAbandon ends a staged copy that may have failed.
func (w *worker) commitOrAbandon(e *entry, dst *file, p *Problem) *Problem {
	w.temporaries.mu.Lock()
	if p == nil {
		p = w.commit(dst)
	}
	if p != nil && !(w.options.Resume && p.resumable()) {
		dst.unname()
	}
	w.temporaries.staging = nil
	w.temporaries.mu.Unlock() // telling may take for ever
	if e.action == PutBeside {
		w.replaced(e, Remove, errorOf(p))
	}
	return p
}

func errorOf(p *Problem) error {
	if p == nil {
		return nil
	}
	return p
}

// commit puts a complete copy in its place. What a server has against the data
// it says when the file is closed, which is too late here, or a copy of its
// descriptor.
func (w *worker) commit(dst *file) *Problem {
	again, err := unix.FcntlInt(uintptr(dst.fd), unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		err = unix.Close(again)
	}
	if err != nil && err != unix.EINTR {
		return &Problem{What: Close, Dest: dst.at.Path(), Err: err}
	}
	if err := dst.commit(); err != nil {
		return &Problem{What: Commit, Dest: dst.at.Path(), Err: err}
	}
	return nil
}

// commit gives a complete copy its name.
func (f *file) commit() error {
	s := f.staging
	if s.temporary.Name == "" {
		if !s.over {
			return f.link(s.to)
		}
		_ = place.TryLock(f.fd) // before anybody can see it
		var err error
		if s.temporary, err = place.Claim(s.to, f.link); err != nil {
			s.temporary = place.Place{}
			return err
		}
	}
	if err := s.rename(); err != nil {
		return err
	}
	s.temporary = place.Place{}
	return nil
}

// link gives a file without a name one.
func (f *file) link(p place.Place) error {
	return place.Link(place.Path(fmt.Sprintf("/proc/self/fd/%d", f.fd)), p, unix.AT_SYMLINK_FOLLOW)
}

// rename puts the temporary in the destination's place. Where nothing was,
// nothing that has come to be there meanwhile is replaced, if the filesystem
// can tell: EEXIST.
func (s *staging) rename() error {
	if s.over {
		return place.Rename(s.temporary, s.to)
	}
	return place.RenameNew(s.temporary, s.to)
}

// abandon closes a file that was made just now, and takes away its name.
func (f *file) abandon() {
	f.unname()
	unix.Close(f.fd)
}

func (f *file) unname() {
	switch s := f.staging; {
	case s == nil:
		if f.home == f.at || place.IsNamed(f.home, &f.stat) { // a link may have been changed meanwhile
			place.Unlink(f.home, 0)
		}
	case s.temporary.Name != "":
		place.Unlink(s.temporary, 0)
	}
}
