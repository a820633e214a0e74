package splice

import "golang.org/x/sys/unix"

// reflink makes the empty sink share all extents of the source.
func reflink(t *transfer) error {
	if t.dst.sharesOffset() || t.src.sharesOffset() {
		return t.reflinkClaimed()
	}
	if err := t.clone(t.dst.FD, t.src.FD, 0); err != nil {
		return t.notCloned(err)
	}
	// The ioctl moves no offset, and the source may have grown since it was
	// described: the sink's size is what was cloned.
	size, err := t.seek(t.dst.FD, 0, unix.SEEK_END)
	if err != nil {
		return &WriteError{err}
	}
	if _, err := t.seek(t.src.FD, size, unix.SEEK_SET); err != nil {
		return &ReadError{err}
	}
	t.src.advance(size)
	return t.delivered(size)
}

func (t *transfer) notCloned(err error) error {
	if err == ErrNotEmpty || reflinkRefused(err) {
		return &refusal{err}
	}
	return &WriteError{err}
}

// reflinkClaimed clones what is known of the source, where an offset may be
// shared, into a range that nobody else writes to.
func (t *transfer) reflinkClaimed() error {
	n := t.src.Remaining()
	if n == 0 {
		return nil // as far as is known: read confirms
	}
	t.claims.mu.Lock()
	defer t.claims.mu.Unlock()
	err := t.claimWhole(t.src, n)
	if err == nil {
		err = t.claimWhole(t.dst, n)
	}
	if err == nil {
		err = t.clone(t.dst.FD, t.src.FD, n)
	}
	if err != nil {
		t.giveBack(t.src)
		t.giveBack(t.dst)
		return t.notCloned(err)
	}
	if err := t.passClone(t.src, n); err != nil {
		return &ReadError{err}
	}
	if err := t.passClone(t.dst, n); err != nil {
		return &WriteError{err}
	}
	t.src.advance(n)
	return t.delivered(n)
}

// claimWhole claims the first n bytes of a file whose offset may be shared. It
// looks first whether that is still 0: who shares it may have used it since it
// was described.
func (t *transfer) claimWhole(d *Descriptor, n int64) error {
	if !d.sharesOffset() {
		return nil
	}
	if at, err := t.seek(d.FD, 0, unix.SEEK_CUR); err != nil || at != 0 {
		return ErrNotEmpty
	}
	claim := t.claimSink
	if d == t.src {
		claim = t.claimSource
	}
	if err := claim(d, n); err != nil {
		return err
	}
	if d.claim.at != 0 || d.claim.end != n {
		return ErrNotEmpty
	}
	return nil
}

// passClone moves on behind the n bytes that were cloned.
func (t *transfer) passClone(d *Descriptor, n int64) error {
	if d.claimed() {
		d.claim = claim{}
		return nil
	}
	_, err := t.seek(d.FD, n, unix.SEEK_SET)
	return err
}
