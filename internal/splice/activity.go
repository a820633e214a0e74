package splice

import "sync/atomic"

// Doing is what a copy is at.
type Doing int32

const (
	Moving  Doing = iota // a call that both reads and writes, or not begun yet
	Reading              // takes from the source, and waits if that has nothing
	Writing              // delivers to the sink, and waits if that has no room
	Holding              // holds back what a [Limiter] does not allow yet
)

// An Activity tells other goroutines what a copy is at. Keeping it costs one
// atomic store for each system call.
type Activity struct{ doing atomic.Int32 }

// Now may be asked at any time.
func (a *Activity) Now() Doing { return Doing(a.doing.Load()) }

// is notes what comes next. A nil Activity is one that nobody looks at.
func (a *Activity) is(d Doing) {
	if a != nil {
		a.doing.Store(int32(d))
	}
}
