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

func (s *Sink) lookAgain() { s.plain = !s.splices() || s.Appends() || s.inUse }

func (s *Sink) spliced() bool { return !s.plain }

// teed reports whether tee(2) can fill the sink directly.
func (s *Sink) teed() bool { return s.Kind == Pipe && !s.plain }

// arrived counts n bytes that m brought to one sink.
func (f *fanout) arrived(s *Sink, m Method, n int, copies int64) {
	f.moved()
	s.By[m] += int64(n)
	s.wrote(int64(n))
	s.delivered.Add(int64(n))
	f.report.By[m] += int64(n)
	f.report.Copied += int64(n) * copies
}

// fail takes a sink out of the copy.
func (f *fanout) fail(s *Sink, err error) error {
	s.Err = f.settle(s.Descriptor, &WriteError{err})
	f.live = slices.DeleteFunc(f.live, func(other *Sink) bool { return other == s })
	if f.asked.SinkFailed != nil {
		return f.asked.SinkFailed(s)
	}
	return nil
}

// notReady is called after EAGAIN of a sink. It returns nil when the call is to be
// repeated.
func (f *fanout) notReady(s *Sink) error {
	switch wait, final := f.awaits(s.FD); {
	case wait:
		return f.wait(s.FD, unix.POLLOUT)
	case final:
		return unix.EAGAIN
	}
	return nil
}

// teeTo makes a sink's pipe refer to up to n bytes at the head of p, without
// taking them out, and returns how many. 0 is a sink that failed or turned
// plain.
func (f *fanout) teeTo(s *Sink, p *pipe, n int) (int, error) {
	for {
		n, err := f.tee(p.r, s.FD, n)
		switch {
		case err == nil && n > 0:
			f.arrived(s, TeePipe, n, 0)
			return n, nil
		case err == unix.EAGAIN: // the sink's: p is not empty
			if err := f.notReady(s); err != nil {
				return 0, f.fail(s, err)
			}
		case err == nil: // no kernel is known to do this
			return 0, f.writeInstead(unix.ENODATA, s)
		case spliceOutRefused(err):
			return 0, f.writeInstead(err, s)
		default:
			return 0, f.fail(s, err)
		}
	}
}

// writeInstead has sinks written to that splice(2) or tee(2) refuse.
func (f *fanout) writeInstead(why error, sinks ...*Sink) error {
	method := f.method
	defer func() { f.method = method }()
	for _, s := range sinks {
		if s.plain {
			continue
		}
		f.method = Splice
		if err := f.fallBack(ReadWrite, why, s.Kind); err != nil {
			return err
		}
		s.plain = true
	}
	return nil
}

// spliceTo splices n bytes of p into a sink. If the sink fails, the bytes are dropped.
func (f *fanout) spliceTo(s *Sink, p *pipe, n int) error {
	for n > 0 {
		moved, err := f.spliceOut(p.r, s.Descriptor, n, 0)
		switch {
		case err == nil && moved > 0:
			p.held -= moved
			n -= moved
			f.arrived(s, Splice, moved, generated(f.src.Kind)+stored(s.Kind))
		case err == unix.EAGAIN:
			if err := f.notReady(s); err != nil {
				return f.failAndSkip(s, err, p, n)
			}
		case err == nil: // a page was cut off the file on its way: read says so
			return f.readTo([]*Sink{s}, p, n)
		case spliceOutRefused(err):
			if err := f.writeInstead(err, s); err != nil {
				return err
			}
			return f.readTo([]*Sink{s}, p, n)
		default:
			return f.failAndSkip(s, err, p, n)
		}
	}
	if s.inUse {
		return f.writeInstead(ErrShared, s)
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
		n, err := f.writeHere(s.Descriptor, buf[:min(len(buf), f.piece(s.Descriptor))])
		if err == unix.EAGAIN {
			if err = f.notReady(s); err == nil {
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
