package splice

import (
	"os"

	"golang.org/x/sys/unix"
)

// viaMapping maps the source, a window at a time, and writes the mapping. Only
// the kernel touches the mapped pages, so a file that shrinks meanwhile is an
// EFAULT of write(2), reported as [ErrTruncated], and never a SIGBUS. A read
// lease, where one can be had, keeps writers and truncate(2) waiting until the
// window under way is written.
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
	t.calls++
	if err != nil {
		return 0, &ReadError{err}
	}
	n := min(size-at, t.left, chunk)
	if n <= 0 {
		return 0, nil
	}
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
	return written, t.mappingFault(err, at+written)
}

// mappingFault turns the EFAULT of a write from the mapping into what it
// means: the file ends before offset at, or its disk could not be read.
func (t *transfer) mappingFault(err error, at int64) error {
	w, failed := err.(*WriteError)
	if !failed || w.Err != unix.EFAULT {
		return err
	}
	t.calls++
	if size, err := t.size(t.src.FD); err == nil && size <= at {
		return &ReadError{ErrTruncated}
	}
	return &ReadError{unix.EIO}
}
