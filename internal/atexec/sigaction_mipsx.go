//go:build mips || mipsle || mips64 || mips64le

package atexec

import "syscall"

// MIPS has no SIGSTKFLT.
var sigstkflt []syscall.Signal

// sizeofSigset is the size in bytes of the kernel's sigset_t, which has 128
// signals on MIPS.
const sizeofSigset = 16

// sigaction is the kernel's struct sigaction (asm/signal.h), which on MIPS has
// the flags before the handler.
func sigaction(handler uintptr) *[8]uintptr { return &[8]uintptr{0, handler} }
