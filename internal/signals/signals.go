// Package signals makes signals act on a tool as on a C program that was
// started in the same way. The Go runtime installs handlers of its own: a write
// to a pipe without a reader does not kill, SIGQUIT prints the stacks of all
// goroutines, SIGUSR1 does nothing, and a signal that the parent had set to be
// ignored or blocked kills all the same. Package procstart knows what the
// parent had set.
//
// A tool calls [Restore] first thing in main. From then on it uses [Notify]
// instead of signal.Notify. What the runtime does not allow:
//
//   - SIGSEGV, SIGBUS and SIGFPE that another process sends end the tool with a
//     stack trace and status 2, unless they were ignored or blocked at the
//     start. The handlers stay, since they report and recover from real faults.
//   - Signal 33 does nothing. The runtime uses it between threads.
//   - Programs that the tool executes do not inherit that SIGHUP, SIGINT,
//     SIGQUIT, SIGTERM and the like are blocked: the runtime has unblocked them.
package signals

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"zeroutils/internal/procstart"
)

// Restore gives each signal that ends a program its default action, or has it
// ignored if it was at the start, or without effect if it was blocked. Those of
// later, SIGUSR1 and SIGUSR2 at most, do nothing until [Notify].
func Restore(later ...syscall.Signal) {
	var discarded []os.Signal
	for sig := range syscall.Signal(8 * procstart.SizeofSigset) {
		sig++
		switch {
		case !ends(sig):
		case procstart.Ignored(sig):
			signal.Ignore(sig) // so that programs that the tool executes ignore it as well
		case procstart.StaysBlocked(sig):
		case procstart.Blocked(sig):
			discarded = append(discarded, sig)
		case slices.Contains(later, sig):
		case !handledByRuntime(sig):
			setDefault(sig)
		}
	}
	if len(discarded) > 0 {
		signal.Notify(make(chan os.Signal, 1), discarded...)
	}
}

// ends reports whether the default action of sig ends the process and can be
// changed. Of the real-time signals the first three belong to the C library and
// the runtime (nptl(7)).
func ends(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGKILL, syscall.SIGSTOP,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGCONT,
		syscall.SIGCHLD, syscall.SIGURG, syscall.SIGWINCH,
		32, 33, 34:
		return false
	}
	return true
}

// handledByRuntime reports whether the runtime's handler for sig has to stay:
// it turns real faults into panics, and it leaves SIGHUP and SIGINT ignored
// where that is all that is known.
func handledByRuntime(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGHUP, syscall.SIGINT:
		return true
	}
	return false
}

// Notify is signal.Notify for use after Restore, of which the runtime knows
// nothing: it believes that its handler is in place until it is told to ignore
// the signal. Signals that were ignored or blocked at the start stay so. Notify
// does not work for SIGPIPE, which the runtime drops on threads that run no Go
// code at the time: see [CatchPipe].
func Notify(c chan<- os.Signal, sigs ...syscall.Signal) {
	for _, sig := range sigs {
		if procstart.Ignored(sig) || procstart.Blocked(sig) || signal.Ignored(sig) {
			continue
		}
		signal.Ignore(sig)
		signal.Notify(c, sig)
	}
}

// CatchPipe lets a write to a pipe without a reader return EPIPE instead of
// ending the process. Unlike with SIGPIPE ignored, programs that are executed
// afterwards die of it as usual.
func CatchPipe() { Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Fatal reports whether sig, left to its default action, would end this
// process: it was neither ignored nor blocked at the start, and the process is
// not the first of a PID namespace, which the kernel spares.
func Fatal(sig syscall.Signal) bool {
	return !procstart.Ignored(sig) && !procstart.Blocked(sig) && os.Getpid() != 1
}

// Die ends the process by a signal whose default action does so, even if it is
// ignored or blocked, so that the parent sees what the process died of. The
// first process of a PID namespace exits with 128 and the signal's number.
func Die(sig syscall.Signal) {
	if procstart.StaysBlocked(sig) {
		signal.Notify(make(chan os.Signal, 1), sig) // unblocks it in one thread
	}
	setDefault(sig)
	_ = syscall.Kill(os.Getpid(), sig)
	if os.Getpid() == 1 {
		os.Exit(128 + int(sig))
	}
	for { // another thread may get it first; select {} could be taken for a deadlock until then
		time.Sleep(time.Hour)
	}
}

// setDefault is rt_sigaction(2) with SIG_DFL, which neither syscall nor x/sys
// wraps. The kernel's struct sigaction differs by architecture, but it has 32
// bytes at most and SIG_DFL, the flags and the mask are all zero.
func setDefault(sig syscall.Signal) {
	var action [4]uint64
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION,
		uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, procstart.SizeofSigset, 0, 0)
}
