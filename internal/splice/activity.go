package splice

import "sync/atomic"

// A State is what a copy is in the middle of.
type State int32

const (
	Moving    State = iota // a call that both reads and writes, not begun yet, or ended
	Reading                // reads the source, and waits if that is empty
	Writing                // writes to the sink, and waits if that is full
	Throttled              // waits until a [Limiter] allows more
)

// An Activity tells other goroutines the state of a copy. Each system call of the
// copy costs one atomic store more.
type Activity struct{ state atomic.Int32 }

// State may be called at any time.
func (a *Activity) State() State { return State(a.state.Load()) }

// set records the state. A nil Activity records nothing.
func (a *Activity) set(s State) {
	if a != nil {
		a.state.Store(int32(s))
	}
}
