#include "textflag.h"

#define SYS_rt_sigaction   134
#define SYS_rt_sigprocmask 135
#define SYS_fcntl          25
#define SYS_openat         56
#define F_GETFD            1
#define EBADF              9
#define SIG_IGN            1
#define AT_FDCWD           -100
#define O_PATH             0x200000

// The entry point that the linker is given with -E zeroutils_start; see
// start_linux_amd64.s. R0 and the stack pointer are handed on as they came. A
// system call changes R0.
TEXT zeroutils_start(SB),NOSPLIT|NOFRAME,$0
	MOVD R0, R19
	MOVD ZR, R20 // the ignored signals
	MOVD ZR, R21 // the closed descriptors
	SUB  $64, RSP

	// rt_sigaction(sig, NULL, &old, 8) for the signals 64 to 1.
	MOVD $64, R22
signal:
	MOVD ZR, (RSP)
	MOVD R22, R0
	MOVD ZR, R1
	MOVD RSP, R2
	MOVD $8, R3
	MOVD $SYS_rt_sigaction, R8
	SVC
	MOVD (RSP), R1
	CMP  $SIG_IGN, R1
	CSET EQ, R1
	ORR  R20<<1, R1, R20
	SUB  $1, R22
	CBNZ R22, signal

	// rt_sigprocmask(SIG_BLOCK, NULL, &old, 8).
	MOVD ZR, (RSP)
	MOVD ZR, R0
	MOVD ZR, R1
	MOVD RSP, R2
	MOVD $8, R3
	MOVD $SYS_rt_sigprocmask, R8
	SVC
	MOVD (RSP), R23 // the blocked signals

	// fcntl(fd, F_GETFD) for the descriptors 0 to 2, and where that is EBADF
	// openat(AT_FDCWD, "/", O_PATH).
descriptor:
	MOVD R22, R0
	MOVD $F_GETFD, R1
	MOVD $SYS_fcntl, R8
	SVC
	CMN  $EBADF, R0
	BNE  open
	MOVD $1, R1
	LSL  R22, R1, R1
	ORR  R1, R21, R21
	MOVD $'/', R1
	MOVD R1, (RSP)
	MOVD $AT_FDCWD, R0
	MOVD RSP, R1
	MOVD $O_PATH, R2
	MOVD ZR, R3
	MOVD $SYS_openat, R8
	SVC
open:
	ADD  $1, R22
	CMP  $3, R22
	BNE  descriptor

	MOVD R20, ·ignored(SB)
	MOVD R21, ·closed(SB)
	MOVD R23, ·blocked(SB)
	MOVD $1, R1
	MOVB R1, ·recorded(SB)
	ADD  $64, RSP
	MOVD R19, R0
	JMP  _rt0_arm64_linux(SB)
