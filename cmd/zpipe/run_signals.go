package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"zeroutils/internal/proc"
	"zeroutils/internal/signals"
)

// A caught is the signals that come while a pipeline runs.
type caught struct {
	mu       sync.Mutex
	keyboard syscall.Signal // of SIGINT and SIGQUIT the last
	told     syscall.Signal // of SIGTERM and SIGHUP the last
	pressed  chan struct{}  // has something when keyboard is set
}

// catchSignals has the pipeline outlive what kills its stages, so that it can
// say how they ended. SIGINT and SIGQUIT usually come from the terminal, to the
// stages as well; others are passed on to them.
func (p *pipeline) catchSignals() {
	p.caught = &caught{pressed: make(chan struct{}, 1)}
	told := make(chan os.Signal, 4)
	signals.Notify(told, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range told {
			p.caught.note(s.(syscall.Signal), p)
		}
	}()
}

// passOn tells a stage what came before it was started.
func (c *caught) passOn(s *stage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if process := s.running(); c.told != 0 && process != nil {
		process.Signal(c.told)
	}
}

func (c *caught) note(sig syscall.Signal, p *pipeline) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sig == syscall.SIGINT || sig == syscall.SIGQUIT {
		c.keyboard = sig
		select {
		case c.pressed <- struct{}{}:
		default:
		}
		time.AfterFunc(keyLateness, func() {
			c.mu.Lock() // act waits until all have the signal
			defer c.mu.Unlock()
			if p.missed(sig) {
				proc.SignalAll(sig)
			}
		})
		return
	}
	c.told = sig
	proc.SignalAll(sig)
}

// keyLateness is how much later than a stage we may get a signal from the
// keyboard, or the other way round.
const keyLateness = 200 * time.Millisecond

// missed reports whether a signal that zpipe has got did not come from the
// keyboard: a stage runs that would have died of it.
func (p *pipeline) missed(sig syscall.Signal) bool {
	for _, s := range p.stages {
		if process := s.running(); process != nil && diesOf(process.PID(), sig) {
			return true
		}
	}
	return false
}

// diesOf reports whether a process neither blocks, ignores nor catches a signal,
// and has none pending: proc_pid_status(5).
func diesOf(pid int, sig syscall.Signal) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	sets := 0
	for line := range strings.Lines(string(status)) {
		name, mask, _ := strings.Cut(line, ":")
		switch name {
		case "State":
			if strings.HasPrefix(strings.TrimSpace(mask), "Z") {
				return false
			}
		case "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt":
			set, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			if err != nil || set&(1<<(sig-1)) != 0 {
				return false
			}
			sets++
		}
	}
	return sets == 5
}

// act ends the process by a signal that it should have died of: one that it was
// told itself, or one from the keyboard that has killed a stage.
func (c *caught) act(p *pipeline) {
	killed := false
	for _, s := range p.stages {
		killed = killed || s.diedOf(syscall.SIGINT) || s.diedOf(syscall.SIGQUIT)
	}
	if killed {
		select {
		case <-c.pressed:
		case <-time.After(keyLateness):
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.told != 0:
		signals.Die(c.told)
	case killed && c.keyboard != 0:
		signals.Die(c.keyboard)
	}
}
