package procstart

import (
	"math/bits"
	"syscall"
	"unsafe"
)

// A sigset is the kernel's sigset_t: an array of longs, of which SizeofSigset
// bytes are used.
type sigset [16 * 8 / bits.UintSize]uint

func (s sigset) has(sig syscall.Signal) bool {
	return s[(sig-1)/bits.UintSize]>>((sig-1)%bits.UintSize)&1 != 0
}

// threadMask is the signal mask of the current thread. All threads of the
// runtime have the same, except the one that receives signals for os/signal.
func threadMask() (mask sigset) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, 0, 0, uintptr(unsafe.Pointer(&mask)), SizeofSigset, 0, 0)
	return mask
}
