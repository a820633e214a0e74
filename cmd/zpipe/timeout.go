package main

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
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

func (c *idleClock) quiet() time.Duration { return time.Since(c.start) - time.Duration(c.last.Load()) }

// What ends a way in which nothing has moved for as long as --timeout says.
var (
	errSilent = errors.New("the source gives nothing")
	errStuck  = errors.New("the sink takes nothing")
)

// timedOut says who was waited for in vain, once, although all ways find that
// out.
func (p *pair) timedOut(s *endpoint.Stream, side string) {
	p.mu.Lock()
	again := p.overdue
	p.overdue = true
	p.mu.Unlock()
	if !again {
		p.fail(s, side, unix.ETIMEDOUT)
	}
}

// peer is the one of the two that is silent when both are.
func (p *pair) peer() *endpoint.Stream {
	if !p.src.Connected() && p.dst.Connected() {
		return p.dst
	}
	return p.src
}

// lateness is how much later than another a way may find out that the time is
// over, or that it is not.
const lateness = 200 * time.Millisecond

// run relays, until every way has come to its end, which it reports, or until
// the time is over and a write does not return.
func (p *pair) run() (ended bool) {
	p.idle = newIdleClock(p.timeout)
	blocking := p.blockingSink()
	if p.timeout == 0 || p.served != nil || blocking == nil {
		p.relayAll()
		return true
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.relayAll()
	}()
	for overs := 0; overs < 3; { // twice could be because the process was stopped, and the ways look once more
		select {
		case <-done:
			return true
		case <-time.After(p.idle.left() + lateness):
		}
		if overs++; !p.idle.over() {
			overs = 0
		}
	}
	p.timedOut(blocking, "write error")
	return false
}

// blockingSink is a sink that has somebody on the other side and whose writes
// wait for him: an inherited descriptor is not made nonblocking.
func (p *pair) blockingSink() *endpoint.Stream {
	for _, s := range p.written() {
		stored := s.Out.Kind == splice.Regular || s.Out.Kind == splice.Block
		if !stored && s.Out.Flags&unix.O_NONBLOCK == 0 {
			return s
		}
	}
	return nil
}
