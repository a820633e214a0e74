package splice

import (
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Sink is one of several that get the same bytes.
type Sink struct {
	*Descriptor
	By  [methods]int64 // bytes delivered, by method
	Err error          // a *WriteError once the sink takes no more

	plain     bool // splice refuses it: it is written to
	delivered atomic.Int64
}

// Delivered is the number of bytes that arrived at the sink. It may be asked
// for from another goroutine while the copy goes on.
func (s *Sink) Delivered() int64 { return s.delivered.Load() }

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
	spliceable := splicesFrom(f.src.Kind)
	if wanted == Splice && !spliceable {
		return &UnservedError{Method: wanted, Src: f.src.Kind, Dst: Pipe}
	}
	f.method = ReadWrite
	if wanted != ReadWrite && spliceable && slices.ContainsFunc(f.live, (*Sink).spliced) {
		f.method = Splice
	}
	return nil
}

func (s *Sink) lookAgain() { s.plain = !splicesTo(s.Kind) || s.Appends() }

func (s *Sink) spliced() bool { return !s.plain }

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

// arrived counts n bytes that m brought to one sink.
func (f *fanout) arrived(s *Sink, m Method, n int, copies int64) {
	f.stuck = 0
	s.By[m] += int64(n)
	s.wrote(int64(n))
	s.delivered.Add(int64(n))
	f.report.By[m] += int64(n)
	f.report.Copied += int64(n) * copies
}

// fail takes a sink out of the copy.
func (f *fanout) fail(s *Sink, err error) error {
	s.Err = &WriteError{err}
	f.live = slices.DeleteFunc(f.live, func(other *Sink) bool { return other == s })
	if f.options.SinkFailed != nil {
		return f.options.SinkFailed(s)
	}
	return nil
}

// teeTo makes a sink's pipe refer to what is at the head of p, without taking
// it out, and returns how much. 0 is a sink that failed or turned plain.
func (f *fanout) teeTo(s *Sink, p *pipe) (int, error) {
	for {
		n, err := f.tee(p.r, s.FD, p.held)
		switch {
		case err == nil && n > 0:
			f.arrived(s, TeePipe, n, 0)
			return n, nil
		case err == unix.EAGAIN: // the sink's: p is not empty
			if err := f.wait(s.FD, unix.POLLOUT); err != nil {
				return 0, f.fail(s, err)
			}
		case err == nil: // no kernel is known to do this
			return 0, f.turnPlain(s, unix.ENODATA)
		case spliceOutRefused(err):
			return 0, f.turnPlain(s, err)
		default:
			return 0, f.fail(s, err)
		}
	}
}

// turnPlain is for a sink that is not to be spliced to any more.
func (f *fanout) turnPlain(s *Sink, why error) error {
	if f.options.Method == Splice {
		return &UnservedError{Method: Splice, Src: f.src.Kind, Dst: s.Kind, Errno: why}
	}
	s.plain = true
	f.fellBack(ReadWrite, why)
	return nil
}

// teeThrough brings the first n bytes of p to a sink by way of the second
// private pipe, and leaves them in p. It returns false if the kernel will not
// have it between two pipes of ours: the sink has turned plain, and has none
// of the bytes.
func (f *fanout) teeThrough(s *Sink, p *pipe, n int) (bool, error) {
	q, err := f.copier.emptyPipe(&f.system, &f.copier.scratch)
	if err != nil {
		return false, f.turnPlain(s, err)
	}
	q.held, err = f.tee(p.r, q.w, n)
	switch {
	case err != nil:
		return false, f.turnPlain(s, err)
	case q.held < n: // no kernel is known to do this: the two have equal slots
		if err := f.readTo(nil, q, q.held); err != nil {
			return false, err
		}
		return false, f.turnPlain(s, unix.ENODATA)
	}
	return true, f.spliceTo(s, q, n)
}

// spliceTo takes n bytes out of p and brings them to a sink. If the sink fails
// they are taken out all the same: they belong to no other.
func (f *fanout) spliceTo(s *Sink, p *pipe, n int) error {
	for n > 0 {
		moved, err := f.splice(p.r, s.FD, n, 0)
		switch {
		case err == nil && moved > 0:
			p.held -= moved
			n -= moved
			f.arrived(s, Splice, moved, generated(f.src.Kind)+stored(s.Kind))
		case err == unix.EAGAIN:
			if err := f.wait(s.FD, unix.POLLOUT); err != nil {
				return f.failAndSkip(s, err, p, n)
			}
		case err == nil: // a page was cut off the file on its way: read says so
			return f.readTo([]*Sink{s}, p, n)
		case spliceOutRefused(err):
			if err := f.turnPlain(s, err); err != nil {
				return err
			}
			return f.readTo([]*Sink{s}, p, n)
		default:
			return f.failAndSkip(s, err, p, n)
		}
	}
	return nil
}

func (f *fanout) failAndSkip(s *Sink, err error, p *pipe, n int) error {
	if err := f.fail(s, err); err != nil {
		return err
	}
	return f.readTo(nil, p, n)
}

// readTo reads n bytes out of p and writes them to each of the sinks.
func (f *fanout) readTo(sinks []*Sink, p *pipe, n int) error {
	buf := f.copier.buffer()
	for n > 0 {
		got, err := f.read(p.r, buf[:min(n, len(buf))])
		if err == unix.ENODATA || err == nil && got == 0 {
			return &ReadError{ErrTruncated}
		}
		if err != nil {
			return &ReadError{err}
		}
		p.held -= got
		n -= got
		f.report.Copied += int64(got)
		for _, s := range sinks {
			if s.Err != nil {
				continue
			}
			if err := f.writeTo(s, buf[:got]); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeTo writes all of buf to one sink. The error is SinkFailed's.
func (f *fanout) writeTo(s *Sink, buf []byte) error {
	for len(buf) > 0 {
		n, err := f.write(s.FD, buf)
		if err == unix.EAGAIN {
			if err = f.wait(s.FD, unix.POLLOUT); err == nil {
				continue
			}
		}
		if err == nil && n == 0 {
			err = ErrNoProgress
		}
		if err != nil {
			return f.fail(s, err)
		}
		f.arrived(s, ReadWrite, n, 1)
		buf = buf[n:]
	}
	return nil
}
