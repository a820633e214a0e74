package procstart

import "syscall"

// zeroutils_start writes these variables before the runtime starts.
var (
	recorded bool
	closed   uint64 // bit 0 is descriptor 0
	ignored  uint64 // bit 0 is signal 1
	blocked  uint64 // bit 0 is signal 1
)

// Recorded reports whether the program was linked with the entry point.
func Recorded() bool { return recorded }

// Closed reports whether fd, one of 0 to 2, was closed when the process was
// executed. It is false when nothing was recorded: the runtime's /dev/null
// cannot be told from one that the parent opened.
func Closed(fd int) bool { return closed>>fd&1 != 0 }

// Ignored reports whether sig was set to be ignored when the process was
// executed. It is false when nothing was recorded.
func Ignored(sig syscall.Signal) bool { return recorded && ignored>>(sig-1)&1 != 0 }

// Blocked reports whether sig was in the signal mask when the process was
// executed. When nothing was recorded it is false for the signals that the
// runtime unblocks, among them SIGHUP, SIGINT, SIGQUIT and SIGTERM.
func Blocked(sig syscall.Signal) bool {
	if recorded {
		return blocked>>(sig-1)&1 != 0
	}
	return threadMask().has(sig)
}

// StaysBlocked reports whether sig was blocked and the runtime has left it so,
// in all threads.
func StaysBlocked(sig syscall.Signal) bool { return Blocked(sig) && threadMask().has(sig) }
