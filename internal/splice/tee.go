package splice

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Tee delivers src to every sink, from the offset of each, until src ends, the
// limit is reached or no sink is left. What has arrived is passed on at once.
// A sink that fails is told to Options.SinkFailed and gets nothing more; the
// others get everything. The error is a *ReadError, an *UnservedError, or one
// from Options.SinkFailed or Options.Progress.
//
// The source is spliced into a private pipe. Pages go from there by tee(2)
// into one sink that is a pipe, and by tee(2) through a second private pipe
// into the others; the last one takes them out by splice(2). A sink that
// splice refuses is written to, from a buffer that is read once for all of
// them. The bytes that the first sink takes set the pace: every other sink
// gets these before more are offered, so that outputs never run apart by more
// than the capacity of a private pipe.
func (c *Copier) Tee(sinks []*Sink, src *Descriptor, o Options) (Report, error) {
	live := slices.DeleteFunc(slices.Clone(sinks), func(s *Sink) bool { return s.Err != nil })
	f := &fanout{transfer: *c.newTransfer(nil, src, o), live: live}
	err := f.run()
	src.advance(f.report.Delivered)
	return f.finish(err)
}

// A fanout is a copy to several sinks. Of its transfer, dst is not used.
type fanout struct {
	transfer
	live  []*Sink       // those without an error
	fds   []unix.PollFd // await's
	ended bool          // splice has met the end of the source
}

func (f *fanout) run() error {
	if err := f.plan(); err != nil {
		return err
	}
	if f.method == ReadWrite {
		return f.readWriteAll()
	}
	err := f.teeAll()
	no, unsuited := err.(*notThisWay)
	switch {
	case unsuited && f.options.Method == Splice:
		return &UnservedError{Method: Splice, Src: f.src.Kind, Dst: Other, Errno: no.errno}
	case unsuited:
		f.fellBack(ReadWrite, no.errno)
	case err != nil || f.ended && (f.src.Kind == Pipe || f.src.Kind == Socket):
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
	if wanted != ReadWrite && spliceable && slices.ContainsFunc(f.live, (*Sink).spliced) {
		f.method = Splice
	}
	return nil
}

// readWriteAll reads the source and writes what was read to every sink.
func (f *fanout) readWriteAll() error {
	buf := f.copier.buffer()
	for f.left > 0 && len(f.live) > 0 {
		if err := f.await(); err != nil || len(f.live) == 0 {
			return err
		}
		n, err := f.readSource(buf[:f.next(len(buf))])
		if err != nil || n == 0 {
			return err
		}
		f.report.Copied += int64(n)
		for _, s := range slices.Clone(f.live) {
			if err := f.writeTo(s, buf[:n]); err != nil {
				return err
			}
		}
		if err := f.passed(n); err != nil {
			return err
		}
	}
	return nil
}

// teeAll splices the source into the private pipe, and passes on what is
// there, until the source ends or no sink is left that can be spliced to.
func (f *fanout) teeAll() error {
	p, err := f.pipes()
	if err != nil {
		return &notThisWay{err}
	}
	for f.left > 0 && slices.ContainsFunc(f.live, (*Sink).spliced) {
		if err := f.await(); err != nil || len(f.live) == 0 {
			return err
		}
		if err := f.fill(p); err != nil || p.held == 0 {
			f.ended = err == nil
			return err
		}
		for p.held > 0 && len(f.live) > 0 {
			if err := f.pass(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// pipes makes the private pipe, and the second one if there will be sinks for
// it. Both get the same number of slots, so that whatever the first holds fits
// into the second.
func (f *fanout) pipes() (*pipe, error) {
	p, err := f.copier.emptyPipe(&f.system, &f.copier.pipe)
	if err != nil || len(f.live) < 2 {
		return p, err
	}
	q, err := f.copier.emptyPipe(&f.system, &f.copier.scratch)
	if err != nil || q.capacity == p.capacity {
		return p, err
	}
	f.calls += 2
	p.capacity, err = f.setPipeSize(p.w, min(p.capacity, q.capacity))
	if err == nil {
		q.capacity, err = f.setPipeSize(q.w, p.capacity)
	}
	if err == nil && p.capacity != q.capacity {
		err = unix.EPERM
	}
	if err != nil {
		f.copier.Close() // what they hold is not known
	}
	return p, err
}

// roles are who gets the pages in which way.
type roles struct {
	lead  *Sink   // a pipe that tee fills directly; may be nil
	other []*Sink // by way of the second private pipe
	taker *Sink   // takes the pages out of the private pipe; nil if plain are there
	plain []*Sink // are written to
}

func (f *fanout) roles() roles {
	var r roles
	for _, s := range f.live {
		switch {
		case s.plain:
			r.plain = append(r.plain, s)
		case s.Kind == Pipe && r.lead == nil:
			r.lead = s
		default:
			r.other = append(r.other, s)
		}
	}
	if len(r.plain) > 0 {
		return r
	}
	if last := len(r.other) - 1; last >= 0 {
		r.taker, r.other = r.other[last], r.other[:last]
	} else {
		r.taker, r.lead = r.lead, nil
	}
	return r
}

// pass brings the same bytes from the head of the private pipe to every sink,
// as many as the lead takes, and takes them out of the pipe.
func (f *fanout) pass(p *pipe) error {
	r := f.roles()
	n := p.held
	if r.lead != nil {
		var err error
		if n, err = f.teeTo(r.lead, p); err != nil || n == 0 {
			return err
		}
	}
	for _, s := range r.other {
		served, err := f.teeThrough(s, p, n)
		if err != nil {
			return err
		}
		if !served {
			r.plain = append(r.plain, s)
		}
	}
	var err error
	if len(r.plain) > 0 && r.taker != nil {
		r.plain, r.taker = append(r.plain, r.taker), nil
	}
	if r.taker != nil {
		err = f.spliceTo(r.taker, p, n)
	} else {
		err = f.readTo(r.plain, p, n)
	}
	if err != nil {
		return err
	}
	return f.passed(n)
}

// passed counts n bytes that every sink still in order has.
func (f *fanout) passed(n int) error {
	f.stuck = 0
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
