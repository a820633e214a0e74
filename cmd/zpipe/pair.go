package main

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A pair is a source and a sink, open, with one way between them or two.
type pair struct {
	*settings
	from, to endpoint.Endpoint
	src, dst *endpoint.Stream
	served   *endpoint.Stream // the one of the two that was accepted by --serve, or nil
	poll     func(fds []unix.PollFd, limit time.Duration) (int, error)
	idle     *idleClock // runs with the relay
	copier   func() *splice.Copier
	complain func(format string, args ...any)

	route *endpoint.Route // to the sink, if it is known

	mu      sync.Mutex // guards what follows
	report  splice.Report
	ended   int                       // ways that relay no more
	failed  map[*endpoint.Stream]bool // its error has been printed, or needs not be
	broken  bool                      // standard output or the like has no reader
	overdue bool                      // nothing has moved for as long as --timeout says
	enough  bool                      // the size of --stop-at-size has passed, or a peer has left
}

func (s *settings) newPair() *pair {
	return &pair{
		settings: s, from: s.src, to: s.dst, poll: endpoint.Poll,
		copier: s.newCopier, complain: s.inv.Errorf,
		failed: make(map[*endpoint.Stream]bool),
	}
}

func (s *settings) newCopier() *splice.Copier {
	c := splice.New()
	c.PipeSize = s.opener.PipeSize
	tool.GiveBackOnSignal(c)
	return c
}

// open opens the source and then the sink, which it does not harm if it is the
// source. It reports what fails, and returns false. A sink that would be refused
// costs no connection and starts no command.
func (p *pair) open() bool {
	if p.from.Connected() && p.to.HoldsData() {
		p.refuseSink()
		return false
	}
	return p.openSource() && p.openSink() && p.begin()
}

// prepareSink measures what is to be relayed, and then empties the sink.
func (p *pair) prepareSink() error {
	if p.served == nil {
		if err := p.monitor.flow.measure(p.dst.Out, p.src.In); err != nil {
			return err
		}
	}
	return p.dst.Truncate()
}

func (p *pair) refuseSink() {
	p.complain("%s: %v; to overwrite it, write %s", named(p.to), endpoint.ErrHoldsData, overwriting(p.to))
}

func (p *pair) openSource() bool {
	var err error
	if p.src, err = p.opener.Open(p.from, p.use(endpoint.AsSource)); err != nil {
		p.cannotOpen(p.from, "standard input", err)
	}
	return err == nil
}

func (p *pair) openSink() bool {
	var err error
	if p.dst, err = p.opener.Open(p.to, p.use(endpoint.AsSink)); err != nil {
		p.cannotOpen(p.to, "standard output", err)
		p.abandon(p.src)
	}
	return err == nil
}

// begin makes the sink ready to be written to, unless that would destroy the
// source.
func (p *pair) begin() bool {
	if p.dst.Replaces(p.src) || splice.CopiesOntoItself(p.dst.Out, p.src.In) {
		p.complain("%s: input file is output file", p.nameOf(p.src))
	} else if p.both && p.dst.In.FD == p.src.In.FD {
		p.complain("%s has nobody to be relayed to but itself", p.nameOf(p.src))
	} else if err := p.prepareSink(); err == endpoint.ErrHoldsData {
		p.refuseSink()
	} else if err == errSizeUnknown {
		p.complain("%v", err)
	} else if err != nil {
		p.fail(p.dst, "", err)
	} else {
		return true
	}
	p.abandon(p.src, p.dst)
	return false
}

// overwriting says how a sink is written that overwrites its file.
func overwriting(e endpoint.Endpoint) string {
	redirected := "> " + tool.Quote(e.Text)
	if explicit := e.Overwriting(); explicit != "" {
		return tool.Quote(explicit) + " or " + redirected
	}
	return redirected
}

func (p *pair) use(oneWay endpoint.Use) endpoint.Use {
	if p.both {
		return endpoint.AsBoth
	}
	return oneWay
}

// abandon closes streams that are not to be relayed, or not any more, and ends
// their commands.
func (p *pair) abandon(streams ...*endpoint.Stream) {
	for _, s := range streams {
		_ = s.Close() // an error has been reported
		s.End(p.grace)
		s.Wait()
	}
}

// written are the streams that are written to.
func (p *pair) written() []*endpoint.Stream {
	if p.both {
		return []*endpoint.Stream{p.dst, p.src}
	}
	return []*endpoint.Stream{p.dst}
}

func (p *pair) relayAll() {
	var ways sync.WaitGroup
	if p.both {
		ways.Go(func() { p.relay(p.dst, p.src) })
	}
	p.relay(p.src, p.dst)
	ways.Wait()
}

// end closes both, when the peers have everything, and waits for commands. After
// a time that was over it waits for nothing more.
func (p *pair) end() {
	if p.overdue {
		p.abandon(p.src, p.dst)
		return
	}
	for _, s := range p.written() {
		if s.Out != nil && !p.failed[s] {
			if err := s.Linger(p.timeout); err != nil {
				p.fail(s, "write error", err)
			}
		}
	}
	for _, s := range []*endpoint.Stream{p.src, p.dst} {
		if err := s.Close(); err != nil && !p.failed[s] {
			p.fail(s, "write error", err)
		}
	}
	p.collect(p.dst) // whose status counts before the other's, as in a pipeline
	p.collect(p.src)
}

// collect waits for the command of a stream, whose status becomes ours unless
// something of our own has failed. One that was cut off by a failure elsewhere,
// or because that was enough, has nothing to say.
func (p *pair) collect(s *endpoint.Stream) {
	status := s.Wait()
	if status == 0 || p.failed[s] {
		return
	}
	if (len(p.failed) > 0 || p.enough) && status == 128+int(unix.SIGPIPE) {
		return
	}
	if p.served == nil && p.inv.Status() == 0 {
		p.inv.SetStatus(status)
	}
	p.complain("%s: exit status %d", p.nameOf(s), status)
}
