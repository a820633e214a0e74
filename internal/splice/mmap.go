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
	at, err := t.seek(t.src.FD, 0, unix.SEEK_CUR)
	if err != nil {
		return &notThisWay{err}
	}
	guard, _ := takeLease(&t.system, t.src.FD)
	defer func() { guard.release() }()
	for t.left > 0 {
		n, err := t.writeWindow(at)
		at += n
		if _, seekErr := t.seek(t.src.FD, at, unix.SEEK_SET); err == nil && seekErr != nil {
			err = &ReadError{seekErr}
		}
		if err != nil || n == 0 {
			return err
		}
		if guard.breaking() {
			guard.release()
			guard = nil
		}
	}
	return nil
}

// writeWindow writes one window from offset at on and returns how many bytes
// arrived. 0 without an error is the end of what fstat(2) says.
func (t *transfer) writeWindow(at int64) (int64, error) {
	size, err := t.size(t.src.FD)
	if err != nil {
		return 0, &ReadError{err}
	}
	n := min(size-at, chunk)
	if n <= 0 {
		return 0, nil
	}
	n = int64(t.next(int(n)))
	inPage := at % int64(os.Getpagesize())
	window, err := t.mmap(t.src.FD, at-inPage, int(inPage+n))
	t.calls += 2 // with munmap
	if err != nil {
		if mmapRefused(err) {
			return 0, &notThisWay{err}
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
