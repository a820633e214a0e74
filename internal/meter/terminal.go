package meter

import (
	"runtime"

	"golang.org/x/sys/unix"

	"zeroutils/internal/rawio"
)

// A terminal is a descriptor that is drawn on. It may be something else, that is
// then never in the background and 80 columns wide.
type terminal struct {
	fd   int
	real bool
}

func terminalOn(fd int) terminal {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return terminal{fd: fd, real: err == nil}
}

// size is the size of the window. One that does not know, as a serial line, is 80
// columns wide and of no known height.
func (t terminal) size() size {
	const usual = 80
	if !t.real {
		return size{columns: usual}
	}
	found, err := unix.IoctlGetWinsize(t.fd, unix.TIOCGWINSZ)
	if err != nil {
		return size{columns: usual}
	}
	if found.Col == 0 {
		found.Col = usual
	}
	return size{int(found.Col), int(found.Row)}
}

// inBackground reports whether the terminal belongs to another job now. One that
// is not the process's controlling terminal has no jobs (ENOTTY).
func (t terminal) inBackground() bool {
	if !t.real {
		return false
	}
	group, err := unix.IoctlGetUint32(t.fd, unix.TIOCGPGRP)
	return err == nil && int(group) != unix.Getpgrp()
}

// write writes all of p, usually in one call. The descriptor may be nonblocking
// because another process made it so.
//
// SIGTTOU is blocked meanwhile. The terminal may be taken from the process after
// it was found in the foreground, and with stty tostop the write would then stop
// the whole process, copy and all. With the signal blocked it is let through
// (tty_check_change in the kernel's tty_jobctrl.c).
func (t terminal) write(p []byte) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ttou, before := unix.Sigset_t{}, unix.Sigset_t{}
	ttou.Val[0] = 1 << (unix.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &ttou, &before); err != nil {
		return err
	}
	err := rawio.WriteAll(t.fd, p)
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil) // it was valid a moment ago
	return err
}
