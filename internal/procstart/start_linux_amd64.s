#include "textflag.h"

#define SYS_rt_sigaction   13
#define SYS_rt_sigprocmask 14
#define SYS_fcntl          72
#define SYS_openat         257
#define F_GETFD            1
#define EBADF              9
#define SIG_IGN            1
#define AT_FDCWD           -100
#define O_PATH             0x200000

// The entry point that the linker is given with -E zeroutils_start. It runs on
// the stack that the kernel made, before anything of Go exists: no calls, no
// frame, and SP and DX are handed on as they came (System V ABI, AMD64
// supplement, "Process Initialization"). A system call changes AX, CX and R11.
// What the calls read and write lies below the stack pointer, where no signal
// handler can disturb it: there is none yet.
//
// Sums up in R12 the ignored signals, in R13 the closed descriptors and in R15
// the blocked signals.
TEXT zeroutils_start(SB),NOSPLIT|NOFRAME,$0
	MOVQ DX, R14
	XORL R12, R12
	XORL R13, R13

	// rt_sigaction(sig, NULL, &old, 8) for the signals 64 to 1, each of which
	// shifts the earlier ones left. The first word of old is the handler.
	MOVL $64, BX
signal:
	MOVL $SYS_rt_sigaction, AX
	MOVL BX, DI
	XORL SI, SI
	LEAQ -64(SP), DX
	MOVQ $0, (DX)
	MOVL $8, R10
	SYSCALL
	XORL AX, AX
	CMPQ (DX), $SIG_IGN
	SETEQ AX
	SHLQ $1, R12
	ORQ  AX, R12
	DECL BX
	JNZ  signal

	// rt_sigprocmask(SIG_BLOCK, NULL, &old, 8).
	MOVL $SYS_rt_sigprocmask, AX
	XORL DI, DI
	XORL SI, SI
	LEAQ -64(SP), DX
	MOVQ $0, (DX)
	MOVL $8, R10
	SYSCALL
	MOVQ -64(SP), R15

	// fcntl(fd, F_GETFD) for the descriptors 0 to 2, and where that is EBADF
	// openat(AT_FDCWD, "/", O_PATH), which gives the lowest free one: fd.
descriptor:
	MOVL $SYS_fcntl, AX
	MOVL BX, DI
	MOVL $F_GETFD, SI
	SYSCALL
	CMPQ AX, $-EBADF
	JNE  open
	BTSQ BX, R13
	MOVL $SYS_openat, AX
	MOVQ $AT_FDCWD, DI
	MOVQ $'/', -64(SP)
	LEAQ -64(SP), SI
	MOVL $O_PATH, DX
	XORL R10, R10
	SYSCALL
open:
	INCL BX
	CMPL BX, $3
	JNE  descriptor

	MOVQ R12, ·ignored(SB)
	MOVQ R13, ·closed(SB)
	MOVQ R15, ·blocked(SB)
	MOVB $1, ·recorded(SB)
	MOVQ R14, DX
	JMP  _rt0_amd64_linux(SB)
