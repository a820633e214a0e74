package main

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
)

// An idleClock tells how long nothing has moved, in either direction. While a
// rate limit holds a way back, that is nobody's silence.
type idleClock struct {
	limit time.Duration // 0 is none
	start time.Time
	last  atomic.Int64 // when something moved, since start
	held  atomic.Int32 // ways that a rate limit holds back
}

func newIdleClock(limit time.Duration) *idleClock {
	return &idleClock{limit: limit, start: time.Now()}
}

func (c *idleClock) moved() { c.last.Store(int64(time.Since(c.start))) }

// hold is splice.Limiter.Held.
func (c *idleClock) hold(held bool) {
	c.moved()
	if held {
		c.held.Add(1)
	} else {
		c.held.Add(-1)
	}
}

// left is how long to wait before the limit is reached, and negative without
// one. It is never nothing: what was stopped for longer than the limit looks
// once whether it can go on.
func (c *idleClock) left() time.Duration {
	if c.limit == 0 {
		return -1
	}
	return max(time.Millisecond, c.limit-c.quiet())
}

// over reports whether the limit is reached.
func (c *idleClock) over() bool { return c.limit > 0 && c.quiet() >= c.limit }

func (c *idleClock) quiet() time.Duration {
	if c.held.Load() > 0 {
		return 0
	}
	return time.Since(c.start) - time.Duration(c.last.Load())
}

// timedOut says who was waited for in vain, once, although all ways find that
// out.
func (r *relay) timedOut(s *endpoint.Stream, side string) {
	r.mu.Lock()
	again := r.overdue
	r.overdue, r.spoilt = true, true
	r.mu.Unlock()
	if !again {
		r.fail(s, side, unix.ETIMEDOUT)
	}
}

// peer is the one of the two that is silent when both are.
func (r *relay) peer() *endpoint.Stream {
	if !r.src.Connected() && r.dst.Connected() {
		return r.dst
	}
	return r.src
}

// lateness is how much later than another a way may find out that the time is
// over, or that it is not.
const lateness = 200 * time.Millisecond

// run relays, until every way has come to its end, which it reports, or until
// the time is over and a write does not return.
func (r *relay) run() (ended bool) {
	r.idle = newIdleClock(r.timeout)
	blocking := r.blockingSink()
	if r.timeout == 0 || !r.policy.guardsWrites() || blocking == nil {
		r.relayAll()
		return true
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.relayAll()
	}()
	for overs := 0; overs < 3; { // twice could be because the process was stopped, and the ways look once more
		select {
		case <-done:
			return true
		case <-time.After(r.idle.left() + lateness):
		}
		if overs++; !r.idle.over() {
			overs = 0
		}
	}
	r.timedOut(blocking, "write error")
	return false
}

// blockingSink is a sink that has somebody on the other side and whose writes
// wait for him: an inherited descriptor is not made nonblocking.
func (r *relay) blockingSink() *endpoint.Stream {
	for _, s := range r.written() {
		stored := s.Out.Kind == splice.Regular || s.Out.Kind == splice.Block
		if !stored && s.Out.Flags&unix.O_NONBLOCK == 0 {
			return s
		}
	}
	return nil
}
