// Package faults holds tests of the built tools under real faults: system calls
// that fail (strace(1) puts the errno in the place of the call), disks that
// fill up, limits, signals, descriptors that are closed, nonblocking or read by
// nobody. It has no code of its own.
//
// One rule holds for all of them. Either everything arrived and the status is
// 0, or the status is 1, one message says which side failed in the words of the
// C library, and every output holds an exact beginning of what it should; other
// outputs of ztee are complete. A tool neither hangs nor crashes, and no byte
// arrives twice or out of order.
//
// ZEROUTILS_LONG=1 fails every system call at every moment with every errno,
// and repeats what depends on chance; otherwise the moments, and half of the
// errnos, take turns.
package faults
