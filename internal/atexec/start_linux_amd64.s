#include "textflag.h"

#define SYS_rt_sigaction 13
#define SYS_fcntl        72
#define F_GETFD          1
#define EBADF            9
#define SIG_IGN          1

// The entry point that the linker is given with -E zeroutils_start. It runs on
// the stack that the kernel made, before anything of Go exists: no calls, no
// frame, and SP and DX are handed on as they came (System V ABI, AMD64
// supplement, "Process Initialization"). A system call changes AX, CX and R11.
//
// Sums up in R12 the ignored signals and in R13 the closed descriptors, from
// the highest down, so that each result shifts the earlier ones left.
TEXT zeroutils_start(SB),NOSPLIT|NOFRAME,$0
	MOVQ DX, R14
	XORL R12, R12
	XORL R13, R13

	// rt_sigaction(sig, NULL, &old, 8) for the signals 31 to 1. The 32 bytes
	// of old, whose first word is the handler, lie below the stack pointer.
	MOVL $31, BX
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

	// fcntl(fd, F_GETFD) for the descriptors 2 to 0.
	MOVL $2, BX
descriptor:
	MOVL $SYS_fcntl, AX
	MOVL BX, DI
	MOVL $F_GETFD, SI
	SYSCALL
	XORL CX, CX
	CMPQ AX, $-EBADF
	SETEQ CX
	SHLQ $1, R13
	ORQ  CX, R13
	DECL BX
	JGE  descriptor

	MOVQ R12, ·ignored(SB)
	MOVQ R13, ·closed(SB)
	MOVB $1, ·recorded(SB)
	MOVQ R14, DX
	JMP  _rt0_amd64_linux(SB)
