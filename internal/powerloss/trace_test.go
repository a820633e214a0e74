package powerloss

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// steps are the calls after which a command is stopped.
var steps = map[uint64]string{
	unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_SYNCFS: "syncfs", unix.SYS_SYNC: "sync",
	unix.SYS_LINKAT: "linkat", unix.SYS_RENAMEAT2: "renameat2", unix.SYS_UNLINKAT: "unlinkat",
	unix.SYS_MKDIRAT: "mkdirat", unix.SYS_SYMLINKAT: "symlinkat", unix.SYS_MKNODAT: "mknodat",
	unix.SYS_SETXATTR: "setxattr", unix.SYS_LSETXATTR: "lsetxattr", unix.SYS_FSETXATTR: "fsetxattr",
}

// A tracer runs a command under ptrace(2).
type tracer struct {
	threads map[int]*thread
	main    int
	status  unix.WaitStatus
	stopped func(call string) error
}

// A thread of the command, or of a process that it has started.
type thread struct {
	call    uint64 // that it is in
	halted  bool   // it does not run: its tracer has to let it
	ignored int    // SIGSTOPs that halt has sent and that were not reported yet
}

// A report is what wait4(2) says of a thread.
type report struct {
	tid    int
	status unix.WaitStatus
}

// trace runs a command and calls stopped after each step that has succeeded,
// while none of its threads runs.
func trace(cmd *exec.Cmd, stopped func(call string) error) (unix.WaitStatus, error) {
	runtime.LockOSThread() // ptrace(2) is between threads
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	pid := cmd.Process.Pid
	t := &tracer{threads: map[int]*thread{pid: {halted: true}}, main: pid, stopped: stopped}
	var ws unix.WaitStatus
	if _, err := unix.Wait4(pid, &ws, 0, nil); err != nil || !ws.Stopped() {
		return 0, fmt.Errorf("the command does not stop: %#x, %w", ws, err)
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACEEXEC |
		unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return 0, err
	}
	err := t.run()
	if err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	_ = cmd.Process.Release()
	return t.status, err
}

func (t *tracer) run() error {
	if err := t.resume(t.main, 0); err != nil {
		return err
	}
	for len(t.threads) > 0 {
		r, err := wait(-1)
		if err != nil {
			return err
		}
		if err := t.handle(r); err != nil {
			return err
		}
	}
	return nil
}

// wait returns what happened to a thread, -1 for any. Other children of this
// process belong to other threads of it.
func wait(tid int) (r report, err error) {
	for {
		r.tid, err = unix.Wait4(tid, &r.status, unix.WALL|unix.WNOTHREAD, nil)
		if err != unix.EINTR {
			return r, err
		}
	}
}

func (t *tracer) resume(tid int, signal int) error {
	if th := t.threads[tid]; th != nil {
		th.halted = false
	}
	if err := unix.PtraceSyscall(tid, signal); err != nil && err != unix.ESRCH { // it may have been killed
		return fmt.Errorf("ptrace: %w", err)
	}
	return nil
}

const syscallStop = unix.SIGTRAP | 0x80

func (t *tracer) handle(r report) error {
	if r.status.Exited() || r.status.Signaled() {
		delete(t.threads, r.tid)
		if r.tid == t.main {
			t.status = r.status
		}
		return nil
	}
	th := t.threads[r.tid]
	if th == nil { // it was started just now, and begins with a SIGSTOP
		th = &thread{ignored: 1}
		t.threads[r.tid] = th
	}
	th.halted = true
	switch signal := r.status.StopSignal(); {
	case signal == syscallStop:
		return t.atCall(r.tid, th)
	case signal == unix.SIGTRAP: // an event, or exec
		return t.resume(r.tid, 0)
	case signal == unix.SIGSTOP && th.ignored > 0:
		th.ignored--
		return t.resume(r.tid, 0)
	default:
		return t.resume(r.tid, int(signal))
	}
}

// syscallInfo is struct ptrace_syscall_info, ptrace(2).
type syscallInfo struct {
	op     uint8
	_      [3]uint8
	_      uint32    // architecture
	_      [2]uint64 // instruction and stack pointers
	value  uint64    // the call's number, or what it returned
	failed uint8     // if it has returned
	_      [7]uint8
	_      [5]uint64
}

const (
	getSyscallInfo = 0x420e // PTRACE_GET_SYSCALL_INFO
	entry, exit    = 1, 2
)

// atCall is called when a thread enters or leaves a call.
func (t *tracer) atCall(tid int, th *thread) error {
	var info syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(tid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	switch {
	case errno == unix.ESRCH:
		return nil
	case errno != 0:
		return fmt.Errorf("PTRACE_GET_SYSCALL_INFO: %w", errno)
	case info.op == entry:
		th.call = info.value
	case info.op == exit && info.failed == 0 && steps[th.call] != "":
		return t.step(tid, steps[th.call])
	}
	return t.resume(tid, 0)
}

// step lets no thread run while the callback does.
func (t *tracer) step(tid int, call string) error {
	held, others, err := t.halt()
	if err != nil {
		return err
	}
	if err := t.stopped(call); err != nil {
		return err
	}
	for _, tid := range append(held, tid) {
		if err := t.resume(tid, 0); err != nil {
			return err
		}
	}
	for _, r := range others {
		if err := t.handle(r); err != nil {
			return err
		}
	}
	return nil
}

// halt stops all threads that run. Those that something else happened to first
// have halted, too: their reports are returned.
func (t *tracer) halt() (held []int, others []report, err error) {
	for tid, th := range t.threads {
		if th.halted {
			continue
		}
		if _, _, errno := unix.Syscall(unix.SYS_TKILL, uintptr(tid), uintptr(unix.SIGSTOP), 0); errno != 0 && errno != unix.ESRCH {
			return nil, nil, errno
		}
		r, err := wait(tid)
		switch {
		case err == unix.ECHILD:
			delete(t.threads, tid)
		case err != nil:
			return nil, nil, err
		case r.status.Exited() || r.status.Signaled():
			others = append(others, r)
		case r.status.StopSignal() == unix.SIGSTOP && r.status>>16 == 0:
			th.halted = true
			held = append(held, tid)
		default:
			th.halted, th.ignored = true, th.ignored+1
			others = append(others, r)
		}
	}
	return held, others, nil
}
