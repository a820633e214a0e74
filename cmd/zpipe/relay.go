package main

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
)

// A relay is a source and a sink, open, with one way between them or two.
type relay struct {
	*settings
	policy   policy
	from, to endpoint.Endpoint
	src, dst *endpoint.Stream
	idle     *idleClock // runs with the relay
	spoken   spoken

	route *endpoint.Route // to the sink, if it is known

	mu      sync.Mutex // guards what follows
	report  splice.Report
	ended   int                        // ways that relay no more
	failed  map[*endpoint.Stream]bool  // its error has been printed, or needs not be
	told    map[*endpoint.Stream]bool  // it has been told of an end in order
	refusal map[*endpoint.Stream]error // of the way that writes to it
	spoilt  bool                       // something of the source is missing in the sink
	broken  bool                       // standard output or the like has no reader
	overdue bool                       // nothing has moved for as long as --timeout says
	enough  bool                       // the size of --stop-at-size has passed, or a peer has left
}

func (s *settings) newRelay(p policy) *relay {
	return &relay{
		settings: s, policy: p, from: s.src, to: s.dst, spoken: spoken{fd: -1},
		failed: make(map[*endpoint.Stream]bool), told: make(map[*endpoint.Stream]bool),
		refusal: make(map[*endpoint.Stream]error),
	}
}

// written are the streams that are written to.
func (r *relay) written() []*endpoint.Stream {
	if r.both {
		return []*endpoint.Stream{r.dst, r.src}
	}
	return []*endpoint.Stream{r.dst}
}

func (r *relay) relayAll() {
	var ways sync.WaitGroup
	if r.both {
		ways.Go(func() { r.move(r.dst, r.src) })
	}
	r.move(r.src, r.dst)
	ways.Wait()
}

// An ending is how one way of a relay ended.
type ending int

const (
	whole        ending = iota // the source has ended, or more was not wanted
	brokenSource               // something is missing at the end
	brokenSink                 // the sink took no more, which is an error
	refused                    // the sink took no more, which is none
)

// move moves what one stream gives to the other, and then tells the other that
// this was the end: in a relay in both directions, of this way only.
func (r *relay) move(from, to *endpoint.Stream) {
	copier := r.policy.copier()
	report, err := r.monitor.flow.copy(copier, to.Out, from.In, r.options(from, to))
	copier.Close()
	how, ended := whole, false
	if err != nil {
		r.mu.Lock()
		r.refusal[to] = err
		r.mu.Unlock()
		how = r.explain(from, to, report.Delivered, err)
		from.EndInput() // a command that waits for its output to be read would not read its input either
	} else if !r.monitor.flow.reached(report.Delivered) {
		how = r.sourceEnded(from, to)
		ended = how == whole
	}
	if to == r.dst {
		report.Copied += r.copiesForDevice(report)
	}
	r.endSink(to, how)
	r.mu.Lock()
	r.report.Add(report)
	r.enough = r.enough || r.monitor.flow.reached(report.Delivered)
	r.ended++
	r.mu.Unlock()
	if ended {
		r.hasSpoken(from)
	} else if r.both {
		r.hearOut(from)
	}
}

// sourceEnded finds out whether an end is one in order: of a connection whose
// reset the other way has noticed, or of a command's output, where the sink can
// be told otherwise. A command in a conversation may run on
// behind it, since it can still read.
func (r *relay) sourceEnded(from, to *endpoint.Stream) ending {
	if r.both && from.Broken() && !r.hasTold(from) && !r.endedBeforeReset(from) { // in this order: our own end closes it as well
		r.fail(from, "read error", unix.ECONNRESET)
		return brokenSource
	}
	if !from.Command() || !to.Resets() {
		return whole
	}
	limit := r.idle.left()
	if r.both {
		limit = toEnd
	}
	status, ended := from.WaitFor(limit)
	switch {
	case !ended && r.both:
		return whole
	case !ended:
		r.timedOut(from, "read error")
	case status == 0:
		return whole
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spoilt = true // collect says so
	return brokenSource
}

// endedBeforeReset reports whether a peer had ended its output in order before its
// connection was reset, as it does when it gets more than it wants to read. The
// kernel then calls the reset EPIPE, else ECONNRESET. It says so once: to us, or to
// the way that writes to the peer, which is waited for: it is about to end.
func (r *relay) endedBeforeReset(from *endpoint.Stream) bool {
	if err := from.PendingError(); err != nil {
		return err == unix.EPIPE
	}
	const patience = time.Second
	for pause := time.Millisecond; pause < patience; pause *= 2 {
		r.mu.Lock()
		err := r.refusal[from]
		r.mu.Unlock()
		if err != nil {
			return errors.Is(err, unix.EPIPE)
		}
		time.Sleep(pause)
	}
	return false
}

// endSink tells a sink that nothing more will come. If something is missing, a
// sink that can tell the difference is told so only when it has taken what there
// was: end resets it. In a relay in both directions it says no more then.
func (r *relay) endSink(to *endpoint.Stream, how ending) {
	if how == brokenSource && to.Resets() {
		if r.both && !r.isOverdue() {
			to.Drain(r.grace)
			to.StopReading()
		}
		return
	}
	if how == brokenSink && to.Resets() {
		return
	}
	r.mu.Lock()
	r.told[to] = true
	r.mu.Unlock()
	if err := to.EndOutput(); err != nil {
		r.fail(to, "write error", err)
	}
}

func (r *relay) hasTold(s *endpoint.Stream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[s]
}

func (r *relay) isOverdue() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overdue
}

// hearOut throws away what a peer says whom nobody hears any more, until the way
// to it has ended as well: it might not listen if it could not speak.
func (r *relay) hearOut(from *endpoint.Stream) {
	const glance = 100 * time.Millisecond // after which the other way is looked at
	for from.Socket() && !r.bothEnded() {
		fds := []unix.PollFd{{Fd: int32(from.In.FD), Events: unix.POLLIN}}
		if _, err := r.policy.poll(fds, glance); err != nil || fds[0].Revents != 0 && from.Discard() {
			return
		}
	}
}

func (r *relay) bothEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended == 2
}

// options are those of one way. The engine waits by itself unless there is more
// to wait for than the source.
func (r *relay) options(from, to *endpoint.Stream) splice.Options {
	o := splice.Options{Method: r.inv.Method}
	r.monitor.follow(&o)
	if o.Limiter != nil {
		o.Limiter.Held = r.idle.hold
	}
	if !r.both && r.timeout == 0 && !from.Connected() && !to.Connected() {
		return o
	}
	o.Wait = r.newWaiter(from, to).wait
	if r.timeout > 0 {
		counts := o.Progress
		o.Progress = func(n int64) error {
			r.idle.moved()
			if counts == nil {
				return nil
			}
			return counts(n)
		}
	}
	return o
}
