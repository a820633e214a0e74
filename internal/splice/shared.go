package splice

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// An inherited descriptor may share its open file description, and so its file
// offset, with other processes: "(a; b) > log 2>&1" has them all write one file
// at one offset. read(2) and write(2) hold a lock while they use the offset
// (f_pos_lock, Linux 3.14), so that each byte is written, and read, once.
// splice(2), sendfile(2) and copy_file_range(2) use it without that lock: two
// processes then write to the same place.
//
// For an inherited regular file a copy therefore moves the offset only by calls
// that take the lock. It claims the bytes that it is about to move with
// lseek(fd, n, SEEK_CUR), and moves them at explicit offsets. If the offset is not
// where the copy left it, another process uses it too. The copy then completes its
// claim and continues with read(2) and write(2).
//
// Only regular files need this: the kernel has no such lock for devices, and pipes
// and sockets have no offset.
//
// One round may pass before sharing is noticed. If SIGKILL ends the process in the
// middle of it, the rest of its claim remains as zeros. Before other signals a tool
// returns the claim ([Copier.GiveBack]).

// A claim is the range of a file that only this copy reads or writes. It shrinks
// from the front.
type claim struct{ at, end int64 }

func (c claim) left() int64 { return c.end - c.at }

// claims are the claims of a Copier. Another goroutine can return them.
type claims struct {
	mu        sync.Mutex
	of        []*Descriptor
	notice    func() // is called before the first; nil then
	sizeLimit int64  // RLIMIT_FSIZE in bytes; 0 is not asked yet
}

// ErrShared is why a copy continues with read and write: the file offset is not
// where the copy left it.
const ErrShared = plainError("another process uses the same file offset")

// A HoleError is a failure in the middle of a claim that could not be returned,
// since another process has written behind it. The file has zeros there. A
// WriteError wraps it.
type HoleError struct {
	Err    error
	At, To int64 // offsets in bytes
}

func (e *HoleError) Error() string { return e.Err.Error() + e.Where() }

// Where describes the hole, to follow the text of its cause.
func (e *HoleError) Where() string {
	return fmt.Sprintf("; bytes %d to %d, before what another process has written, are zeros", e.At, e.To)
}

func (e *HoleError) Unwrap() error { return e.Err }

// sharesOffset reports whether other processes may move the file offset.
func (d *Descriptor) sharesOffset() bool { return d.Inherited && d.Kind == Regular }

// claimed reports whether a part of a claim is left.
func (d *Descriptor) claimed() bool { return d.claim.left() > 0 }

// fulfil counts n bytes of an open claim.
func (d *Descriptor) fulfil(n int) {
	if d.claimed() {
		d.claim.at += int64(n)
	}
}

// offsetIsShared reports whether a copy has to continue with read and write: another
// process uses an offset, and no claim is left.
func (t *transfer) offsetIsShared() bool {
	return (t.src.inUse || t.dst.inUse) && !t.src.claimed() && !t.dst.claimed()
}

// claimSink claims n bytes at the sink's offset, unless a claim is open, but no
// further than the process may write: at RLIMIT_FSIZE it dies of SIGXFSZ, and
// must leave no claim. The error is EFBIG if that is nothing. mu of the claims is
// held.
func (s *system) claimSink(d *Descriptor, n int64) error {
	if d.claimed() {
		return nil
	}
	if s.claims.sizeLimit == 0 {
		s.claims.sizeLimit = s.fileSizeLimit()
	}
	if err := s.claim(d, n, s.claims.sizeLimit); err != nil {
		return err
	}
	if !d.claimed() {
		return unix.EFBIG
	}
	return nil
}

// claimSource claims up to n bytes at the source's offset, unless a claim is open, but
// none beyond the known size of the file: read(2) reads those. mu of the claims is
// held.
func (s *system) claimSource(d *Descriptor, n int64) error {
	n = min(n, d.Stat.Size-d.Offset)
	if d.claimed() || n <= 0 {
		return nil
	}
	return s.claim(d, n, d.Stat.Size)
}

// claim claims n bytes at the offset, of which those behind the offset most are
// given back at once.
func (s *system) claim(d *Descriptor, n, most int64) error {
	if !slices.Contains(s.claims.of, d) {
		s.claims.of = append(s.claims.of, d)
		if notice := s.claims.notice; notice != nil {
			s.claims.notice = nil
			notice()
		}
	}
	end, err := s.seek(d.FD, n, unix.SEEK_CUR)
	if err != nil {
		return err
	}
	d.claim = claim{end - n, end}
	if d.claim.at != d.Offset {
		d.inUse, d.Offset = true, d.claim.at
	}
	over := end - max(most, d.claim.at)
	if over <= 0 {
		return nil
	}
	d.claim.end -= over
	_, err = s.seek(d.FD, -over, unix.SEEK_CUR)
	return err
}

// giveBack moves the offset back to the rest of a claim, if it still stands behind
// it. Otherwise the claim stays. mu of the claims is held.
func (s *system) giveBack(d *Descriptor) {
	if !d.claimed() {
		return
	}
	if at, err := s.seek(d.FD, 0, unix.SEEK_CUR); err != nil || at != d.claim.end {
		d.inUse = true
		return
	}
	switch at, err := s.seek(d.FD, -d.claim.left(), unix.SEEK_CUR); {
	case err != nil:
	case at == d.claim.at:
		d.claim = claim{}
	default: // somebody was faster
		d.inUse = true
		_, _ = s.seek(d.FD, d.claim.left(), unix.SEEK_CUR)
	}
}

// settle returns the claim of a copy to d that has ended with err. A claim that
// cannot be returned is a hole, and so an error of the sink.
func (s *system) settle(d *Descriptor, err error) error {
	if d == nil || !d.claimed() {
		return err
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.giveBack(d)
	s.voidIfAppending(d)
	left := d.claim
	d.claim = claim{}
	if left.left() == 0 {
		return err
	}
	why := err
	if w, ok := err.(*WriteError); ok {
		why = w.Err
	} else if err == nil {
		why = ErrTruncated // only a source that has become shorter leaves a claim open
	}
	return &WriteError{&HoleError{Err: why, At: left.at, To: left.end}}
}

// release returns the claim of a source.
func (s *system) release(d *Descriptor) {
	if d == nil || !d.claimed() {
		return
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.giveBack(d)
	d.claim = claim{}
}

// GiveBack returns the claims of the copy under way, for a process that a signal is
// about to end. It may be called from any goroutine, and waits for a call that
// writes to a file. The copy does not continue afterwards.
func (c *Copier) GiveBack() {
	c.claims.mu.Lock() // for good
	s := &system{kernel: c.kernel}
	for _, d := range c.claims.of {
		s.giveBack(d)
	}
}

// BeforeClaims sets a function that is called once, before the first claim. The
// tool then arranges for GiveBack to be called before a signal ends the process.
func (c *Copier) BeforeClaims(f func()) { c.claims.notice = f }

// spliceIn fills a private pipe from a source. 0 is what splice(2) takes for
// the end, or the end that a shared file is known to have.
func (s *system) spliceIn(d *Descriptor, w, n, flags int) (int, error) {
	if !d.sharesOffset() {
		return s.splice(own(d.FD), own(w), n, flags)
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	if err := s.claimSource(d, int64(n)); err != nil || !d.claimed() {
		return 0, err
	}
	moved, err := s.splice(place{d.FD, d.claim.at}, own(w), int(min(int64(n), d.claim.left())), flags)
	d.claim.at += int64(moved)
	if err != nil || moved == 0 {
		s.giveBack(d)
	}
	return moved, err
}

// spliceOut moves up to n bytes of a private pipe to a sink.
func (s *system) spliceOut(r int, d *Descriptor, n, flags int) (int, error) {
	if !d.sharesOffset() {
		return s.splice(own(r), own(d.FD), n, flags)
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	if err := s.claimSink(d, int64(n)); err != nil {
		return 0, unix.EINVAL // beyond what a file may have: write says so
	}
	moved, err := s.splice(own(r), place{d.FD, d.claim.at}, int(min(int64(n), d.claim.left())), flags)
	d.claim.at += int64(moved)
	if err != nil {
		s.giveBack(d)
	}
	return moved, err
}

// readHere is read(2), but reads the rest of a claim first.
func (s *system) readHere(d *Descriptor, p []byte) (int, error) {
	if !d.claimed() {
		return s.read(d.FD, p)
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	n, err := s.pread(d.FD, p[:min(int64(len(p)), d.claim.left())], d.claim.at)
	d.claim.at += int64(n)
	if n > 0 || err != nil {
		return n, err
	}
	s.giveBack(d) // cut off the file
	d.claim = claim{}
	return s.read(d.FD, p)
}

// writeHere is write(2), but fills the rest of a claim first.
func (s *system) writeHere(d *Descriptor, p []byte) (int, error) {
	if !d.claimed() {
		return s.write(d.FD, p)
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	return s.fill(d, p)
}

// voidIfAppending reports whether a descriptor appends by now. Then its claim is
// not to be filled: pwrite(2) would append, too, and what others have appended
// may lie there. Unless the offset has come to stand behind it, the claim is
// void; otherwise it is a hole. mu of the claims is held.
func (s *system) voidIfAppending(d *Descriptor) bool {
	if !d.claimed() {
		return false
	}
	flags, err := s.flags(d.FD)
	if err != nil || flags&unix.O_APPEND == 0 {
		return false
	}
	if at, err := s.seek(d.FD, 0, unix.SEEK_CUR); err == nil && at <= d.claim.end {
		d.claim = claim{}
	}
	return true
}

// fill writes to what is left of a claim, or appends where that is void. mu of
// the claims is held.
func (s *system) fill(d *Descriptor, p []byte) (int, error) {
	if !d.claimed() {
		return s.write(d.FD, p)
	}
	if s.voidIfAppending(d) {
		return s.write(d.FD, p)
	}
	n, err := s.pwrite(d.FD, p[:min(int64(len(p)), d.claim.left())], d.claim.at)
	d.claim.at += int64(n)
	return n, err
}
