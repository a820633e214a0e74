package main

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"zeroutils/internal/signals"
)

// catchSignals ends the process in order, with a word.
func (p *pv) catchSignals() {
	caught := make(chan os.Signal, 1)
	signals.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		sig := (<-caught).(syscall.Signal)
		p.display.Break()
		p.fail(pvInterrupted, "interrupted by a signal: %s", signalNames[sig])
		if p.pidFile != nil {
			_ = os.Remove(*p.pidFile) // it may be gone
		}
		os.Exit(p.status)
	}()
}

var signalNames = map[syscall.Signal]string{syscall.SIGINT: "Interrupt", syscall.SIGTERM: "Terminated", syscall.SIGHUP: "Hangup"}

// writePIDFile writes the process's number to a file, which it puts in place
// whole. What it returns removes the file.
func writePIDFile(name string) (remove func(), err error) {
	if name == "" {
		return nil, syscall.ENOENT
	}
	beside := fmt.Sprintf("%s.%d", name, os.Getpid())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, created)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(f, fmt.Sprintln(os.Getpid()))
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(beside, name)
	}
	if err != nil {
		_ = os.Remove(beside) // the first error is the one to report
		return nil, err
	}
	return func() { _ = os.Remove(name) }, nil // somebody may have removed it
}
