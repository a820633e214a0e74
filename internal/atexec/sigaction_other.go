//go:build !mips && !mipsle && !mips64 && !mips64le

package atexec

import "syscall"

// sigstkflt is a signal that MIPS does not have.
var sigstkflt = []syscall.Signal{syscall.SIGSTKFLT}

// sizeofSigset is the size in bytes of the kernel's sigset_t.
const sizeofSigset = 8

// sigaction is the kernel's struct sigaction. It differs from one architecture
// to the next, but the handler comes first and all the rest is zero here; the
// largest is 4 words of 8 bytes.
func sigaction(handler uintptr) *[8]uintptr { return &[8]uintptr{handler} }
