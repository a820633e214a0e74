package splice

import "fmt"

// A ReadError is a failure of the source: the next source may still work.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return "read: " + e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

// A WriteError is a failure of the sink: nothing more can be delivered to it.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "write: " + e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// An UnservedError says that the method asked for cannot copy this source to
// this sink. Errno is nil if their kinds exclude it, and otherwise the kernel's
// answer, [ErrNotEmpty],
// [ErrMisaligned] or [ErrNoLease].
type UnservedError struct {
	Method   Method
	Src, Dst Kind
	Errno    error
}

func (e *UnservedError) Error() string {
	s := fmt.Sprintf("%s cannot copy from %s to %s", e.Method, e.Src.Describe(), e.Dst.Describe())
	if e.Errno != nil {
		s += ": " + e.Errno.Error()
	}
	return s
}

func (e *UnservedError) Unwrap() error { return e.Errno }

type plainError string

func (e plainError) Error() string { return string(e) }

const (
	// ErrTruncated is the ReadError of a file that shrank while its pages were
	// on the way.
	ErrTruncated = plainError("file truncated while it was read")
	// ErrNoLease is why [Splice] does not serve a stable copy; the errno is
	// Report.LeaseErr.
	ErrNoLease = plainError("no lease can be had on the file")
	// ErrLeaseLost is the ReadError of a stable copy whose reader took longer
	// than the kernel's lease-break-time (proc_sys_fs(5)): a writer was let in
	// while bytes of the file were still unread in the pipe.
	ErrLeaseLost = plainError("a writer was let in before the reader was done (lease-break-time exceeded)")
	// ErrNotEmpty is why [Reflink] does not serve a sink that another process has
	// written to.
	ErrNotEmpty = plainError("the sink is not empty any more")
	// ErrMisaligned is why [Direct] does not serve two offsets that are not the
	// same distance from a block boundary: every write would be unaligned.
	ErrMisaligned = plainError("the offsets of source and sink are aligned differently")
	// ErrNoProgress is the WriteError of a sink whose write(2) returns 0.
	ErrNoProgress = plainError("write returned 0")
)
