package splice

import (
	"slices"

	"golang.org/x/sys/unix"
)

// TeeOptions say how [Copier.Tee] copies. The zero value copies to the end of the
// source.
type TeeOptions struct {
	// Method is Splice, ReadWrite, or Auto. Any other is an [UnservedError].
	Method Method
	// Limit is the number of bytes to copy at most; 0 is no limit.
	Limit int64
	// Progress is told the number of bytes that every sink has got since the last
	// call. An error from it ends the copy.
	Progress func(n int64) error
	// SinkFailed is told of each sink that takes no more; its Err says why. An
	// error from it ends the copy; after nil the other sinks get everything.
	SinkFailed func(*Sink) error
	// WatchSinks notices while it waits for the source that the reader of a pipe
	// or socket has gone: EPIPE, as from a write.
	WatchSinks bool
	// FirstRound, if set, is the number of bytes that the sinks get in the first
	// round at most. An output that fails at once is then noticed before the
	// others have much.
	FirstRound int
	// Event, if set, is handled between two rounds.
	Event *Event
}

// Tee delivers src to every sink, from the offset of each, until src ends, the
// limit is reached or no sink is left. It passes on at once what has arrived.
// A sink that fails is reported to SinkFailed and gets nothing more; the others
// get everything. The error is a *ReadError, an *UnservedError, or one from
// SinkFailed, Progress or the Event.
//
// The source is spliced into a private pipe. In each round the sinks get the same
// bytes from there, one after the other in the order given: by tee(2) if the
// first is a pipe, by tee(2) through a second private pipe, and the last one
// takes them out by splice(2). A sink that splice refuses is written to. The
// bytes that the first sink takes set the pace: every other sink gets these
// before more are offered, so that outputs never run apart by more than the
// capacity of a private pipe.
func (c *Copier) Tee(sinks []*Sink, src *Descriptor, o TeeOptions) (Report, error) {
	live := slices.DeleteFunc(slices.Clone(sinks), func(s *Sink) bool { return s.Err != nil })
	t := c.newTransfer(nil, src, Options{Method: o.Method, Limit: o.Limit, Progress: o.Progress})
	f := &fanout{transfer: *t, asked: o, live: live}
	err := f.run()
	f.release(src)
	for _, s := range slices.Clone(f.live) { // a failure elsewhere may have left claims
		if unfilled, ok := f.settle(s.Descriptor, nil).(*WriteError); ok {
			if failed := f.fail(s, unfilled.Err); err == nil {
				err = failed
			}
		}
	}
	return f.finish(err)
}

// A fanout is a copy to several sinks. Of its transfer, dst is not used.
type fanout struct {
	transfer
	asked TeeOptions
	live  []*Sink       // those without an error
	fds   []unix.PollFd // await's
}

func (f *fanout) run() error {
	if err := f.plan(); err != nil {
		return err
	}
	if f.method == ReadWrite {
		return f.readWriteAll()
	}
	err := f.teeAll()
	if no, unsuited := err.(*refusal); unsuited {
		err = f.fallBack(ReadWrite, no.errno, Other)
	}
	if err != nil {
		return err
	}
	f.method = ReadWrite
	return f.readWriteAll() // goes on, or asks read whether this was the end
}

// plan sets the method: Splice, or ReadWrite where no sink or not the source
// can be spliced.
func (f *fanout) plan() error {
	wanted := f.options.Method
	for _, s := range f.live {
		s.lookAgain()
		if wanted == Splice && s.plain || wanted != Auto && wanted != Splice && wanted != ReadWrite {
			return &UnservedError{Method: wanted, Src: f.src.Kind, Dst: s.Kind}
		}
	}
	spliceable := f.src.splices()
	if wanted == Splice && !spliceable {
		return &UnservedError{Method: wanted, Src: f.src.Kind, Dst: Pipe}
	}
	f.method = ReadWrite
	if wanted != ReadWrite && spliceable && !f.src.inUse && slices.ContainsFunc(f.live, (*Sink).spliced) {
		f.method = Splice
	}
	return nil
}

// readWriteAll reads the source and writes what was read to every sink.
func (f *fanout) readWriteAll() error {
	for f.left > 0 && len(f.live) > 0 {
		if err := f.await(); err != nil || len(f.live) == 0 {
			return err
		}
		p, err := f.nextBytes()
		if err != nil || len(p) == 0 {
			return err
		}
		for len(p) > 0 && len(f.live) > 0 {
			part := p[:f.round(len(p))]
			p = p[len(part):]
			f.report.Copied += int64(len(part))
			for _, s := range slices.Clone(f.live) {
				if err := f.writeTo(s, part); err != nil {
					return err
				}
			}
			if err := f.passed(len(part)); err != nil {
				return err
			}
		}
	}
	return nil
}

// round is how many of n bytes go to the sinks in this round.
func (f *fanout) round(n int) int {
	if f.asked.FirstRound > 0 && f.report.Delivered == 0 {
		return min(n, f.asked.FirstRound)
	}
	return n
}

// teeAll splices the source into the private pipe, and passes on what is
// there, until the source seems to end or no sink is left that can be spliced
// to.
func (f *fanout) teeAll() error {
	p, err := f.pipes()
	if err != nil {
		return &refusal{err}
	}
	for f.left > 0 && slices.ContainsFunc(f.live, (*Sink).spliced) {
		if err := f.await(); err != nil || len(f.live) == 0 {
			return err
		}
		if err := f.fillPipe(p); err != nil || p.held == 0 {
			return err
		}
		for p.held > 0 && len(f.live) > 0 {
			if err := f.pass(p); err != nil {
				return err
			}
		}
		if f.src.inUse && !f.src.claimed() {
			return &refusal{ErrShared}
		}
	}
	return nil
}

// pipes makes the private pipe, and the second one if there will be sinks for
// it. Both get the same number of slots, so that whatever the first holds fits
// into the second.
func (f *fanout) pipes() (*pipe, error) {
	p, err := f.copier.emptyPipe(&f.system, &f.copier.pipe)
	alone := len(f.live) == 1 || len(f.live) == 2 && f.live[0].teed()
	if err != nil || alone {
		return p, err
	}
	q, err := f.copier.emptyPipe(&f.system, &f.copier.scratch)
	if err != nil || q.capacity == p.capacity {
		return p, err
	}
	p.capacity, err = f.setPipeSize(p.w, min(p.capacity, q.capacity))
	if err == nil {
		q.capacity, err = f.setPipeSize(q.w, p.capacity)
	}
	if err == nil && p.capacity != q.capacity {
		err = unix.EPERM
	}
	if err != nil {
		f.copier.dropPipes(&f.system) // what they hold is not known
	}
	return p, err
}

// pass brings the same bytes from the head of the private pipe to every sink,
// in their order, as many as the first one takes, and takes them out of the
// pipe.
func (f *fanout) pass(p *pipe) error {
	n := f.round(p.held)
	sinks := slices.Clone(f.live)
	if len(sinks) > 1 && sinks[0].teed() {
		var err error
		if n, err = f.teeTo(sinks[0], p, n); err != nil || n == 0 {
			return err
		}
		sinks = sinks[1:]
	}
	for len(sinks) > 0 {
		together := f.together(sinks)
		from := p
		if len(together) < len(sinks) { // the last take the bytes out
			q, err := f.second(p, n)
			if err != nil {
				if err := f.writeInstead(err, sinks...); err != nil {
					return err
				}
				q, together = p, sinks
			}
			from = q
		}
		if err := f.bring(together, from, n); err != nil {
			return err
		}
		sinks = sinks[len(together):]
	}
	return f.passed(n)
}

// together is the first of the sinks, or those at the beginning that are all
// written to, from one buffer.
func (f *fanout) together(sinks []*Sink) []*Sink {
	n := 1
	for sinks[0].plain && n < len(sinks) && sinks[n].plain {
		n++
	}
	return sinks[:n]
}

// second has the second private pipe refer to the first n bytes of p. The error
// is why the kernel will not have it.
func (f *fanout) second(p *pipe, n int) (*pipe, error) {
	q, err := f.copier.emptyPipe(&f.system, &f.copier.scratch)
	if err != nil {
		return nil, err
	}
	q.held, err = f.tee(p.r, q.w, n)
	if err == nil && q.held < n { // it has fewer slots
		f.copier.dropPipe(&f.system, &f.copier.scratch)
		err = unix.ENODATA
	}
	return q, err
}

// bring takes n bytes out of a private pipe and brings them to one sink, or to
// some that are written to.
func (f *fanout) bring(sinks []*Sink, from *pipe, n int) error {
	if sinks[0].plain {
		return f.readTo(sinks, from, n)
	}
	return f.spliceTo(sinks[0], from, n)
}

// passed counts n bytes that every sink still in order has.
func (f *fanout) passed(n int) error {
	f.left -= int64(n)
	if len(f.live) == 0 {
		return nil
	}
	f.report.Delivered += int64(n)
	if f.options.Progress != nil {
		return f.options.Progress(int64(n))
	}
	return nil
}
