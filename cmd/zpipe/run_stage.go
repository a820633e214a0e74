package main

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
	"zeroutils/internal/proc"
)

// A stage is one command of a pipeline.
type stage struct {
	argv  []string
	err   error // why it could not be started
	begun time.Time
	spent spent

	mu      sync.Mutex    // guards what follows
	process *proc.Process // nil if it was not started
	ended   time.Time     // zero while it runs
	how     unix.WaitStatus
}

// start executes the command on the given descriptors; -1 is none.
func (s *stage) start(in, out, errors int) {
	process, err := proc.Start(proc.Command{Argv: s.argv, Files: [3]int{in, out, errors}})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun, s.process, s.err = time.Now(), process, err
	if err != nil {
		s.ended = s.begun
	}
}

// wait returns when the command has ended.
func (s *stage) wait() {
	if s.process == nil {
		return
	}
	how := s.process.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.how = time.Now(), how
}

// running returns the process, or nil if it was not started or has ended.
func (s *stage) running() *proc.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended.IsZero() {
		return nil
	}
	return s.process
}

// over reports whether the stage has ended.
func (s *stage) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended.IsZero()
}

// life is how long the command ran. It has ended.
func (s *stage) life() time.Duration { return s.ended.Sub(s.begun) }

func (s *stage) diedOf(sig syscall.Signal) bool {
	return s.err == nil && s.how.Signaled() && s.how.Signal() == sig
}

// status is the exit status as a shell has it.
func (s *stage) status() int {
	if s.err != nil {
		return proc.StartStatus(s.err)
	}
	return proc.Status(s.how)
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

// brief is how the stage ended, in one word.
func (s *stage) brief() string {
	if s.status() == 0 {
		return "done"
	}
	if s.err == nil && s.how.Signaled() {
		return fmt.Sprintf("signal %d", int(s.how.Signal()))
	}
	return fmt.Sprintf("status %d", s.status())
}

// widestName is how many columns the name of a stage gets at most.
const widestName = 24

func (s *stage) name() string { return strings.Join(s.argv, " ") }

// label is the name as rows and messages show it.
func (s *stage) label() string { return meter.Shorten(s.name(), widestName) }
