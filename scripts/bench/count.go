package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// count gives a process that was started under ptrace its peak resident size
// and the number of its system calls, with those of its children; that is -1
// where the kernel does not let them be counted. It returns when the process is
// about to exit.
func (s *sample) count(pid int) (err error) {
	var calls *os.File
	s.peak, err = peakOf(pid, func() (err error) {
		calls, err = callCounter(pid)
		return err
	})
	if calls == nil {
		s.calls = -1
		return err
	}
	defer calls.Close()
	var count [8]byte
	if _, readErr := calls.Read(count[:]); readErr != nil {
		return cmp.Or(err, readErr)
	}
	s.calls += int64(binary.NativeEndian.Uint64(count[:]))
	return err
}

// callCounter counts the system calls of a process from now on (see
// perf_event_open(2)). It returns nil where that takes a right or a tracing
// filesystem that there is not.
func callCounter(pid int) (*os.File, error) {
	text, err := os.ReadFile(tracing + "/events/raw_syscalls/sys_enter/id")
	if err != nil {
		return nil, nil
	}
	id, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return nil, err
	}
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_TRACEPOINT, Config: id,
		Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Bits: unix.PerfBitInherit,
	}
	fd, err := unix.PerfEventOpen(&attr, pid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, nil
	}
	return os.NewFile(uintptr(fd), "system calls"), nil
}

// tracing is where the kernel's tracing filesystem is mounted.
const tracing = "/sys/kernel/tracing"

// peakOf lets a process that was started under ptrace run until it is about to
// exit, and gives its peak resident size in KiB. It calls begun before the
// process does anything. Only the thread that started the process can do that.
//
// The ru_maxrss of wait4 would be simpler, but it counts the process as it was
// before exec, when its memory was this program's. Tracing stops it at exec
// and at exit, where /proc/PID/status has a peak of its own, and in between
// leaves it alone.
func peakOf(pid int, begun func() error) (kib int64, err error) {
	if _, err := stopped(pid); err != nil {
		return 0, err
	}
	if err := begun(); err != nil {
		return 0, err
	}
	if err := unix.PtraceSetOptions(pid, unix.PTRACE_O_TRACEEXIT); err != nil {
		return 0, os.NewSyscallError("ptrace", err)
	}
	var status unix.WaitStatus
	for status.TrapCause() != unix.PTRACE_EVENT_EXIT {
		signal := 0
		if status.Stopped() && status.StopSignal() != unix.SIGTRAP {
			signal = int(status.StopSignal()) // not ours: hand it on
		}
		if err := unix.PtraceCont(pid, signal); err != nil {
			return 0, os.NewSyscallError("ptrace", err)
		}
		if status, err = stopped(pid); err != nil {
			return 0, err
		}
	}
	kib, err = readPeak(pid)
	return kib, cmp.Or(err, unix.PtraceCont(pid, 0))
}

// stopped waits until the process stops.
func stopped(pid int) (status unix.WaitStatus, err error) {
	_, err = unix.Wait4(pid, &status, 0, nil)
	if err == nil && !status.Stopped() {
		err = errors.New("it has exited without a stop")
	}
	return status, err
}

// readPeak gives the VmHWM, the "high water mark", of a process.
func readPeak(pid int) (kib int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	number, _, _ := bytes.Cut(rest, []byte("kB"))
	return strconv.ParseInt(string(bytes.TrimSpace(number)), 10, 64)
}
