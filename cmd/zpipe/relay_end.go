package main

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
)

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
