package signals

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

var cleanups struct {
	mu      sync.Mutex
	last    []func()
	arrived chan os.Signal
}

// cleanupTime is how long a cleanup may take. One that writes on a stopped
// terminal (^S) does not return.
const cleanupTime = time.Second

// Cleanup has f called when one of the signals comes, before the process dies
// of it. The last f is called first. Signals that were ignored or blocked at
// the start stay so.
func Cleanup(f func(), sigs ...syscall.Signal) {
	cleanups.mu.Lock()
	defer cleanups.mu.Unlock()
	cleanups.last = append(cleanups.last, f)
	if cleanups.arrived == nil {
		cleanups.arrived = make(chan os.Signal, 1)
		go func() { cleanUp((<-cleanups.arrived).(syscall.Signal)) }()
	}
	Notify(cleanups.arrived, sigs...)
}

func cleanUp(sig syscall.Signal) {
	cleanups.mu.Lock()
	defer cleanups.mu.Unlock()
	for _, f := range slices.Backward(cleanups.last) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		select {
		case <-done:
		case <-time.After(cleanupTime):
		}
	}
	Die(sig)
}
