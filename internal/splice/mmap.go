package splice

import (
	"os"

	"golang.org/x/sys/unix"
)

// viaMapping maps the source, a window at a time, and writes the mapping. Only
// the kernel touches the mapped pages, so a file that shrinks meanwhile is an
// EFAULT of write(2), reported as [ErrTruncated], and never a SIGBUS; what was
// written may then end in zeros. A read lease, where one can be had, keeps
// writers and truncate(2) waiting until the window under way is written.
func viaMapping(t *transfer) error {
	guard, _ := takeLease(&t.system, t.src.FD)
	defer func() { guard.release() }()
	for t.left > 0 {
		at, most, err := t.nextWindow()
		if err != nil || most == 0 {
			return err
		}
		n, err := t.writeWindow(at, most)
		if behindErr := t.endWindow(at + n); err == nil && behindErr != nil {
			err = &ReadError{behindErr}
		}
		if err != nil || n == 0 {
			return err
		}
		if guard.breaking() {
			guard.release()
			guard = nil
		}
		if t.offsetIsShared() {
			return &refusal{ErrShared}
		}
	}
	return nil
}

// nextWindow returns where the next window begins, and how many bytes it may
// have at most. What is claimed of a shared source counts as delivered until
// endWindow, since the sink may keep the write waiting, and a signal must not
// give back what is being written.
func (t *transfer) nextWindow() (at, most int64, err error) {
	most = int64(t.next(chunk))
	if !t.src.sharesOffset() {
		at, err := t.seek(t.src.FD, 0, unix.SEEK_CUR)
		if err != nil {
			err = &refusal{err}
		}
		return at, most, err
	}
	t.claims.mu.Lock()
	defer t.claims.mu.Unlock()
	if err := t.claimSource(t.src, most); err != nil {
		return 0, 0, &refusal{err}
	}
	at = t.src.claim.at
	most = min(most, t.src.claim.left())
	t.src.claim.at += most
	return at, most, nil
}

// endWindow moves on to the offset behind what was delivered.
func (t *transfer) endWindow(at int64) error {
	t.src.advance(at - t.src.Offset)
	if !t.src.sharesOffset() {
		_, err := t.seek(t.src.FD, at, unix.SEEK_SET)
		return err
	}
	t.claims.mu.Lock()
	defer t.claims.mu.Unlock()
	t.src.claim.at = at
	return nil
}

// writeWindow writes one window of at most so many bytes from offset at on, and
// returns how many arrived. 0 without an error is the end of what fstat(2) says.
func (t *transfer) writeWindow(at, most int64) (int64, error) {
	size, err := t.size(t.src.FD)
	if err != nil {
		return 0, &ReadError{err}
	}
	n := min(size-at, most)
	if n <= 0 {
		return 0, nil
	}
	inPage := at % int64(os.Getpagesize())
	window, err := t.mmap(t.src.FD, at-inPage, int(inPage+n))
	if err != nil {
		if mmapRefused(err) {
			return 0, &refusal{err}
		}
		return 0, &ReadError{err}
	}
	defer t.munmap(window)
	before := t.report.Delivered
	err = t.writeSink(window[inPage:])
	written := t.report.Delivered - before
	return written, t.shrunk(err, at+n)
}

// shrunk looks whether the file, whose mapping was written up to offset end,
// still reaches as far. What was cut off is an EFAULT; but in the page where
// the file ends now it is zeros, which look like any success. An EFAULT of a
// file that has not shrunk is its disk's.
func (t *transfer) shrunk(err error, end int64) error {
	w, failed := err.(*WriteError)
	fault := failed && w.Err == unix.EFAULT
	if err != nil && !fault {
		return err
	}
	size, sizeErr := t.size(t.src.FD)
	switch {
	case sizeErr != nil:
		return &ReadError{sizeErr}
	case size < end:
		return &ReadError{ErrTruncated}
	case fault:
		return &ReadError{unix.EIO}
	}
	return nil
}
