package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// peakOf lets a process that was started under ptrace run until it is about to
// exit, and gives its peak resident size in KiB. Only the thread that started
// the process can do that.
//
// The ru_maxrss of wait4 would be simpler, but it counts the process as it was
// before exec, when its memory was this program's. Tracing stops it at exec
// and at exit, where /proc/PID/status has a peak of its own, and in between
// leaves it alone.
func peakOf(pid int) (kib int64, err error) {
	if _, err := stopped(pid); err != nil {
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
