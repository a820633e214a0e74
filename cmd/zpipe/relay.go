package main

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
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
	ended   int                       // ways that relay no more
	failed  map[*endpoint.Stream]bool // its error has been printed, or needs not be
	told    map[*endpoint.Stream]bool // it has been told of an end in order
	spoilt  bool                      // something of the source is missing in the sink
	broken  bool                      // standard output or the like has no reader
	overdue bool                      // nothing has moved for as long as --timeout says
	enough  bool                      // the size of --stop-at-size has passed, or a peer has left
}

func (s *settings) newRelay(p policy) *relay {
	return &relay{
		settings: s, policy: p, from: s.src, to: s.dst, spoken: spoken{fd: -1},
		failed: make(map[*endpoint.Stream]bool), told: make(map[*endpoint.Stream]bool),
	}
}

// open opens the source and then the sink, which it does not harm if it is the
// source. It reports what fails, and returns false. A sink that would be refused
// costs no connection and starts no command.
func (r *relay) open() bool {
	if r.from.Connected() && r.to.HoldsData() {
		r.refuseSink()
		return false
	}
	return r.openSource() && r.openSink() && r.begin()
}

func (r *relay) openSource() bool {
	var err error
	if r.src, err = r.opener.OpenFor(r.dst, r.from, r.use(endpoint.AsSource)); err != nil {
		r.cannotOpen(r.from, "standard input", err)
	}
	return err == nil
}

func (r *relay) openSink() bool {
	var err error
	if r.dst, err = r.opener.OpenFor(r.src, r.to, r.use(endpoint.AsSink)); err != nil {
		r.cannotOpen(r.to, "standard output", err)
		r.abandon(r.src)
	}
	return err == nil
}

// begin makes the sink ready to be written to, unless that would destroy the
// source.
func (r *relay) begin() bool {
	if r.dst.Replaces(r.src) || splice.CopiesOntoItself(r.dst.Out, r.src.In) {
		r.policy.complain("%s: input file is output file", r.policy.name(r.src))
	} else if r.both && r.dst.In.FD == r.src.In.FD {
		r.policy.complain("%s has nobody to be relayed to but itself", r.policy.name(r.src))
	} else if err := r.prepareSink(); err == endpoint.ErrHoldsData {
		r.refuseSink()
	} else if err == errSizeUnknown {
		r.policy.complain("%v", err)
	} else if err != nil {
		r.fail(r.dst, "", err)
	} else if err := r.mayLinger(); err != nil {
		r.policy.complain("cannot relay: %v", err)
	} else {
		return true
	}
	r.abandon(r.src, r.dst)
	return false
}

// prepareSink measures what is to be relayed, and then empties the sink.
func (r *relay) prepareSink() error {
	if err := r.policy.measure(r); err != nil {
		return err
	}
	return r.dst.Truncate()
}

func (r *relay) refuseSink() {
	r.policy.complain("%s: %v; to overwrite it, write %s", named(r.to), endpoint.ErrHoldsData, overwriting(r.to))
}

// overwriting says how a sink is written that overwrites its file.
func overwriting(e endpoint.Endpoint) string {
	redirected := "> " + tool.Quote(e.Text)
	if explicit := e.Overwriting(); explicit != "" {
		return tool.Quote(explicit) + " or " + redirected
	}
	return redirected
}

func (r *relay) use(oneWay endpoint.Use) endpoint.Use {
	if r.both {
		return endpoint.AsBoth
	}
	return oneWay
}

// abandon closes streams that are not to be relayed, or not any more, so that no
// peer takes that for an end in order, and ends their commands.
func (r *relay) abandon(streams ...*endpoint.Stream) {
	for _, s := range streams {
		s.Abort()
		s.End(r.grace)
		s.Wait()
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
	how := whole
	if err != nil {
		how = r.explain(from, to, report.Delivered, err)
		from.EndInput() // a command that waits for its output to be read would not read its input either
	} else if !r.monitor.flow.reached(report.Delivered) {
		how = r.sourceEnded(from, to)
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
	if how == whole {
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
	if r.both && from.Broken() && !r.hasTold(from) { // in this order: our own end closes it as well
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

// end closes both streams when the peers have everything, and waits for commands,
// whose status decides whether the end is one in order. After a time that was
// over it waits for nothing more, but for what has been taken to be delivered.
func (r *relay) end() {
	streams := []*endpoint.Stream{r.dst, r.src}
	for _, s := range streams {
		if s.Command() {
			r.close(s)
		}
	}
	if r.overdue {
		for _, s := range streams {
			s.End(r.grace)
		}
	}
	for _, s := range streams { // the sink's status counts before the source's, as in a pipeline
		r.collect(s)
	}
	for _, s := range streams {
		if !s.Command() {
			r.finish(s)
		}
	}
	if r.spoken.fd >= 0 {
		r.opener.CloseFD(r.spoken.fd)
	}
}

// finish closes a stream that is no command: in order, or so that its peer
// knows that something is missing.
func (r *relay) finish(s *endpoint.Stream) {
	if s.Out == nil {
		r.close(s)
		return
	}
	switch {
	case r.spoilt && s.Atomic():
		s.Abort()
	case !r.spoilt || r.told[s]:
		if r.told[s] && !r.failed[s] && !r.overdue {
			if err := s.Linger(r.timeout); err != nil && !(r.lingers(s) && hasEnded(s)) {
				r.fail(s, "write error", err)
			}
		}
		r.close(s)
	case r.failed[s]:
		s.Abort()
	default:
		s.Drain(r.grace)
		s.Abort()
	}
}

// close closes a stream in order.
func (r *relay) close(s *endpoint.Stream) {
	if err := s.Close(); err != nil && !r.failed[s] {
		r.fail(s, "write error", err)
	}
}

// collect waits for the command of a stream, whose status becomes ours unless
// something of our own has failed. One that was cut off by a failure elsewhere,
// or because that was enough, has nothing to say.
func (r *relay) collect(s *endpoint.Stream) {
	status := s.Wait()
	if status == 0 || r.failed[s] || r.overdue {
		return
	}
	if (len(r.failed) > 0 || r.enough) && status == 128+int(unix.SIGPIPE) {
		return
	}
	r.spoilt = true
	r.policy.commandFailed(status)
	r.policy.complain("%s: exit status %d", r.policy.name(s), status)
}
