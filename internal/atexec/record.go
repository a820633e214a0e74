package atexec

import "syscall"

// What zeroutils_start writes before the runtime starts.
var (
	recorded bool
	ignored  uint64 // the signals set to be ignored: bit 0 is signal 1
	closed   uint64 // the descriptors that were closed: bit 0 is descriptor 0
)

// Recorded reports whether the program was linked with the entry point, so that
// the other functions know and need not guess.
func Recorded() bool { return recorded }

// Ignored reports whether sig was set to be ignored when the process was
// executed. It is false for the real-time signals, and when nothing was
// recorded.
func Ignored(sig syscall.Signal) bool { return ignored>>(sig-1)&1 != 0 }
