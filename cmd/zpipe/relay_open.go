package main

import (
	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

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
