package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// How says how the contents of a file came to its copy.
type How struct {
	Method  splice.Method // that moved most of it; Auto if nothing was moved
	Offload Answer        // copy_file_range(2)
	Reflink Answer        // sharing blocks
	Seeks   Answer        // looking for holes by SEEK_DATA
	Zeros   Answer        // looking for zeros
	Reason  Reason        // why no blocks are shared
}

// Answer says what became of a way to copy.
type Answer uint8

const (
	Unknown     Answer = iota // there was no need for it
	Yes                       // it was gone
	No                        // the options forbid it, or it was not called for
	Avoided                   // another way was better
	Unsupported               // it is none here
)

// Reason is why a copy has blocks of its own.
type Reason uint8

const (
	Shares         Reason = iota // it has not
	Forbidden                    // the options say so
	NotFiles                     // one of the two is no regular file
	TwoFilesystems               // blocks are shared on one only
	NeverShares                  // the filesystem cannot
	Refused                      // the filesystem did not, as Report's fallbacks say
	reasons
)

// A Tally counts files by why they share no blocks.
type Tally [reasons]int64

// explain says how a file was copied.
func (w *worker) explain(dst, src *file) How {
	how := How{Method: most(&w.moved), Seeks: w.seeks, Zeros: w.scans}
	how.Reason = w.reason(dst, src)
	switch how.Reason {
	case Shares:
		return How{Method: splice.Reflink, Reflink: Yes}
	case Forbidden:
		how.Reflink, how.Offload = No, Avoided
	case NotFiles, TwoFilesystems: // between two, copy_file_range is for those of a kind
		how.Reflink, how.Offload = Unsupported, Unsupported
	default:
		how.Reflink, how.Offload = Unsupported, Avoided
	}
	switch {
	case w.moved.By[splice.CopyFileRange] > 0:
		how.Offload = Yes
	case left(&w.moved, splice.CopyFileRange):
		how.Offload = Unsupported
	case how.Method == splice.Auto:
		how.Offload = Unknown
	}
	return how
}

func (w *worker) reason(dst, src *file) Reason {
	data := w.options.Data
	d, s := w.describe(dst), w.describe(src)
	switch {
	case w.shared:
		return Shares
	case !dst.regular() || !src.regular():
		return NotFiles
	case w.refused:
		return Refused
	case data.Reflink == ReflinkNever || data.Sparse == SparseNever || data.Method != splice.Auto:
		return Forbidden
	case d.Stat.Dev != s.Stat.Dev && d.FS != unix.BTRFS_SUPER_MAGIC:
		return TwoFilesystems
	}
	return NeverShares
}

// most is the method that moved most.
func most(r *splice.Report) (best splice.Method) {
	for m, n := range r.By {
		if n > r.By[best] {
			best = splice.Method(m)
		}
	}
	return best
}

// left reports whether a method was tried and given up.
func left(r *splice.Report, m splice.Method) bool {
	for _, f := range r.Fallbacks {
		if f.From == m {
			return true
		}
	}
	return false
}
