package splice

import (
	"os"

	"golang.org/x/sys/unix"
)

// viaMapping maps the source, one window at a time, and writes the mapping to the
// sink. Only the kernel touches the mapped pages. So if the file shrinks, write(2)
// returns EFAULT, reported as [ErrTruncated], and there is no SIGBUS; the bytes
// written may then end in zeros. A read lease, where the kernel grants one, makes
// writers and truncate(2) wait until the current window is written.
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

// nextWindow returns the offset of the next window and its greatest length in bytes.
// A shared source's claim counts the window as delivered until endWindow: the write
// may block, and a signal that arrives then must not give back what is being written.
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

// endWindow sets the file offset of the source to at, the end of what was delivered.
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

// writeWindow writes at most most bytes of the source from offset at on, and returns
// how many the sink took. 0 without an error means that at is the size of the file.
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

// shrunk checks, after a write of the mapping up to offset end, that the source is
// still that long. Pages beyond the new end give EFAULT, but the rest of the last page
// reads as zeros, and its write succeeds. EFAULT from a file that has not shrunk is an
// error of its disk.
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
