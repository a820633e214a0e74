package main

import (
	"sync/atomic"
	"time"
)

// An idleClock tells how long nothing has moved, in either direction.
type idleClock struct {
	limit time.Duration // 0 is none
	start time.Time
	last  atomic.Int64 // when something moved, since start
}

func newIdleClock(limit time.Duration) *idleClock {
	return &idleClock{limit: limit, start: time.Now()}
}

func (c *idleClock) moved() { c.last.Store(int64(time.Since(c.start))) }

// left is how long to wait before the limit is reached, 0 if it is, and
// negative without a limit.
func (c *idleClock) left() time.Duration {
	if c.limit == 0 {
		return -1
	}
	return max(0, c.limit-(time.Since(c.start)-time.Duration(c.last.Load())))
}
