package main

import (
	"os"
	"sync"
	"syscall"
	"time"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/signals"
	"zeroutils/internal/tool"
)

// An interrupt ends the copy in order when a signal asks for an end: nothing
// more is begun, temporary files go, the user is told what was completed, and
// the process dies of the signal.
type interrupt struct {
	inv    *tool.Invocation
	copier *filecopy.Copier
	last   func() // what is to be shown before the end
	once   sync.Once
	dying  sync.Once
	sig    chan syscall.Signal // the signal, when it has come
}

// grace is how long the system calls under way may take to return. Those that
// wait for somebody, such as a FIFO's writer, do not.
var grace = 300 * time.Millisecond

func newInterrupt(inv *tool.Invocation, c *filecopy.Copier) *interrupt {
	return &interrupt{inv: inv, copier: c, sig: make(chan syscall.Signal, 1)}
}

// watch takes care of the signals from now on. Before, they kill.
func (i *interrupt) watch() {
	i.once.Do(func() {
		told := make(chan os.Signal, 1)
		signals.Notify(told, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
		go func() {
			sig := (<-told).(syscall.Signal)
			i.sig <- sig
			i.copier.Stop()
			time.Sleep(grace)
			i.copier.RemoveTemporaries()
			i.die(sig)
		}()
	})
}

// check dies, when the copy has ended, of a signal that has come.
func (i *interrupt) check() {
	select {
	case sig := <-i.sig:
		i.die(sig)
	default:
	}
}

func (i *interrupt) die(sig syscall.Signal) {
	i.dying.Do(func() {
		told := make(chan struct{})
		go func() {
			defer close(told)
			i.last()
			done := i.copier.Gauge().Completed()
			i.inv.Errorf("interrupted: files completed: %d, bytes in them: %d", done.Files, done.Bytes)
		}()
		select {
		case <-told:
		case <-time.After(grace): // nobody reads it
		}
		signals.Die(sig)
	})
	select {} // the other one dies
}
