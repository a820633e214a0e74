package main

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
)

// A pair is a source and a sink, open, with one way between them or two.
type pair struct {
	*settings
	src, dst *endpoint.Stream
	poll     func(fds []unix.PollFd, limit time.Duration) (int, error)
	idle     *idleClock

	mu     sync.Mutex // guards what follows
	report splice.Report
	failed map[*endpoint.Stream]bool // its error has been printed, or needs not be
	broken bool                      // standard output or the like has no reader
}

func (s *settings) newPair() *pair {
	return &pair{
		settings: s, poll: endpoint.Poll, idle: newIdleClock(s.timeout),
		failed: make(map[*endpoint.Stream]bool),
	}
}

// open opens the source and then the sink, which it does not harm if it is the
// source. It reports what fails, and returns false.
func (p *pair) open() bool {
	var err error
	if p.src, err = p.opener.Open(p.settings.src, p.use(endpoint.AsSource)); err != nil {
		p.cannotOpen(p.settings.src, "standard input", err)
		return false
	}
	if p.dst, err = p.opener.Open(p.settings.dst, p.use(endpoint.AsSink)); err != nil {
		p.cannotOpen(p.settings.dst, "standard output", err)
		p.abandon(p.src)
		return false
	}
	if p.dst.Replaces(p.src) || splice.CopiesOntoItself(p.dst.Out, p.src.In) {
		p.inv.Errorf("input file is output file")
	} else if err := p.dst.Truncate(); err != nil {
		p.inv.Fail(p.dst.Text, err)
	} else {
		return true
	}
	p.abandon(p.src)
	p.abandon(p.dst)
	return false
}

func (p *pair) use(oneWay endpoint.Use) endpoint.Use {
	if p.both {
		return endpoint.AsBoth
	}
	return oneWay
}

// abandon closes a stream that is not to be relayed after all.
func (p *pair) abandon(s *endpoint.Stream) {
	_ = s.Close() // nothing was written
	s.Wait()
}

// run relays, until every way has come to its end.
func (p *pair) run() {
	var ways sync.WaitGroup
	if p.both {
		ways.Go(func() { p.relay(p.dst, p.src) })
	}
	p.relay(p.src, p.dst)
	ways.Wait()
}

// end closes both, when the peers have everything, and waits for commands.
func (p *pair) end() {
	for _, s := range []*endpoint.Stream{p.src, p.dst} {
		if s.Out != nil && !p.failed[s] {
			if err := s.Linger(p.poll, p.timeout); err != nil {
				p.fail(s, "write error", err)
			}
		}
	}
	for _, s := range []*endpoint.Stream{p.src, p.dst} {
		if err := s.Close(); err != nil && !p.failed[s] {
			p.fail(s, "write error", err)
		}
	}
	p.collect(p.src)
	p.collect(p.dst)
}

// collect waits for the command of a stream, whose status becomes ours unless
// something of our own has failed. One that was cut off by the failure of its
// counterpart has nothing to say.
func (p *pair) collect(s *endpoint.Stream) {
	status := s.Wait()
	if status == 0 || p.failed[s] {
		return
	}
	if s == p.src && p.failed[p.dst] && status == 128+int(unix.SIGPIPE) {
		return
	}
	if p.inv.Status() == 0 {
		p.inv.SetStatus(status)
	}
	p.inv.Warnf("%s: exit status %d", p.nameOf(s), status)
}
