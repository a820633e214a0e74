package atexec

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// dying is what is to be done before a signal ends the process.
var dying struct {
	mu   sync.Mutex
	last []func()
	told chan os.Signal
}

// BeforeDying has f called when one of the signals comes, after what was given
// later, and then the process ended by it. One that takes longer than a second,
// such as to write on a terminal that was stopped (^S), is not waited for.
// Signals that were ignored at the start stay so.
func BeforeDying(f func(), sigs ...syscall.Signal) {
	dying.mu.Lock()
	defer dying.mu.Unlock()
	dying.last = append(dying.last, f)
	if dying.told == nil {
		dying.told = make(chan os.Signal, 1)
		go func() { dieInOrder((<-dying.told).(syscall.Signal)) }()
	}
	Notify(dying.told, sigs...)
}

func dieInOrder(sig syscall.Signal) {
	dying.mu.Lock()
	defer dying.mu.Unlock()
	for _, f := range slices.Backward(dying.last) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		select {
		case <-done:
		case <-time.After(time.Second):
		}
	}
	Die(sig)
}

// SurvivePipes lets a write to a pipe without a reader return EPIPE instead of
// ending the process. Unlike with the signal ignored, programs that are executed
// afterwards die of it as usual.
func SurvivePipes() { Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
