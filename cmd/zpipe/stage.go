package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"zeroutils/internal/proc"
)

// A stage is one command of a pipeline.
type stage struct {
	argv []string
	err  error // why it could not be started

	mu    sync.Mutex // guards what follows
	pid   int        // 0 before it was started
	ended bool
	how   unix.WaitStatus
}

// start executes the command on the given descriptors; -1 is none.
func (s *stage) start(in, out int) error {
	path, err := proc.LookUp(s.argv[0])
	if err != nil {
		return err
	}
	files := []uintptr{uintptr(in), uintptr(out), uintptr(standard(2))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pid, err = syscall.ForkExec(path, s.argv, &syscall.ProcAttr{Env: os.Environ(), Files: files})
	return err
}

// wait returns when the command has ended.
func (s *stage) wait() {
	if s.err != nil {
		return
	}
	for unix.Waitid(unix.P_PID, s.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	s.mu.Lock() // from here on its number may be that of another process
	defer s.mu.Unlock()
	for {
		if _, err := unix.Wait4(s.pid, &s.how, 0, nil); err != unix.EINTR {
			break
		}
	}
	s.ended = true
}

// signal sends a signal to the command, if that runs.
func (s *stage) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pid > 0 && !s.ended {
		_ = syscall.Kill(s.pid, sig) // it may have ended
	}
}

func (s *stage) diedOf(sig syscall.Signal) bool {
	return s.err == nil && s.how.Signaled() && s.how.Signal() == sig
}

// The status of a command that could not be started, as shells and env(1) have
// it.
const (
	notExecutable = 126
	notFound      = 127
)

// status is the exit status as a shell has it: 128 and the number of the signal
// that the command died of.
func (s *stage) status() int {
	switch {
	case s.err == unix.ENOENT:
		return notFound
	case s.err != nil:
		return notExecutable
	case s.how.Signaled():
		return 128 + int(s.how.Signal())
	}
	return s.how.ExitStatus()
}

// failure says why the command could not be started.
func (s *stage) failure() any {
	if s.err == unix.ENOENT && !strings.Contains(s.argv[0], "/") {
		return "command not found"
	}
	return s.err
}

// ending says how the command ended.
func (s *stage) ending() string {
	if s.how.Signaled() {
		return fmt.Sprintf("%v (signal %d)", s.how.Signal(), int(s.how.Signal()))
	}
	return fmt.Sprintf("exit status %d", s.how.ExitStatus())
}
