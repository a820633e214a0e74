package atexec

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
	"unsafe"
)

// RestoreSignals makes signals act as in a C program: those that the parent set
// to be ignored are ignored, the others have their default action. Those that
// the program will be told of later do nothing until [Notify]; they may be SIGUSR1
// and SIGUSR2.
//
// It concerns the signals that one process sends another. Faults stay with the
// runtime, which reports them, and so do SIGPROF, SIGURG and SIGCHLD, which it
// needs.
//
// A signal that the program wants to be told of afterwards takes [Notify].
func RestoreSignals(later ...syscall.Signal) {
	for _, sig := range handledUnlikeC() {
		switch {
		case Ignored(sig):
			signal.Ignore(sig) // the runtime has to know, or it would not be ignored in programs that are executed
		case slices.Contains(later, sig): // the runtime has a handler, which does nothing
		default:
			setAction(sig, sigDfl)
		}
	}
}

// Notify is signal.Notify for after RestoreSignals, of which the runtime knows
// nothing: it believes that its handler is in place until it is told to ignore
// the signal. Signals that were ignored at the start stay so. SIGPIPE is not to
// be had: the runtime drops it on threads that run no Go code at the time.
// Ignore it and look for EPIPE.
func Notify(c chan<- os.Signal, sigs ...syscall.Signal) {
	for _, sig := range sigs {
		if Ignored(sig) || signal.Ignored(sig) {
			continue
		}
		signal.Ignore(sig)
		signal.Notify(c, sig)
	}
}

// Die ends the process by a signal, whose default action must be that, so that
// the parent sees what a C program would have died of.
func Die(sig syscall.Signal) {
	setAction(sig, sigDfl)
	_ = syscall.Kill(syscall.Getpid(), sig)
	for { // it may come to another thread first; select {} could be taken for a deadlock until then
		time.Sleep(time.Hour)
	}
}

// handledUnlikeC lists the signals that the runtime (sigtable, initsig in
// GOROOT/src/runtime) throws away, answers with a traceback, or takes although
// they were ignored. SIGHUP and SIGINT are not among them: it leaves them
// ignored if they were, and otherwise dies of them like any program.
func handledUnlikeC() []syscall.Signal {
	return append([]syscall.Signal{
		syscall.SIGPIPE, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGABRT,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGVTALRM,
		syscall.SIGXCPU, syscall.SIGXFSZ, syscall.SIGIO, syscall.SIGPWR,
	}, sigstkflt...)
}

// sigDfl is the default action (asm-generic/signal-defs.h).
const sigDfl = 0

// setAction is rt_sigaction(2), which neither syscall nor x/sys wraps.
func setAction(sig syscall.Signal, handler uintptr) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION,
		uintptr(sig), uintptr(unsafe.Pointer(sigaction(handler))), 0, sizeofSigset, 0, 0)
}
