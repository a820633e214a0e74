package main

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/meter"
	"zeroutils/internal/splice"
)

// A joint is a relay between two stages of a pipeline.
type joint struct {
	from, to int // descriptors
	meter    *meter.Meter
	waiting  atomic.Int32 // for what: a wait
	report   splice.Report
}

// A wait is what a relay waits for.
type wait int32

const (
	forNeither wait = iota
	forSource
	forSink
)

// newJoint takes over the two descriptors. They are made nonblocking, which
// concerns nobody else: the stages have the other ends of the pipes.
func (p *pipeline) newJoint(from, to int) *joint {
	_ = unix.SetNonblock(from, true)
	_ = unix.SetNonblock(to, true)
	return &joint{from: from, to: to, meter: meter.New(0)}
}

// relayJoint relays until the stage before has ended, or the one behind takes
// no more. Both then find that out.
func (p *pipeline) relayJoint(j *joint) {
	defer unix.Close(j.from)
	defer unix.Close(j.to)
	src, err := splice.Describe(j.from)
	if err != nil {
		p.inv.Errorf("cannot relay: %v", err)
		return
	}
	dst, err := splice.Describe(j.to)
	if err != nil {
		p.inv.Errorf("cannot relay: %v", err)
		return
	}
	copier := splice.New()
	copier.PipeSize = p.opener.PipeSize
	defer copier.Close()
	j.report, err = copier.Copy(dst, src, splice.Options{
		Wait: j.wait,
		Progress: func(n int64) error {
			j.meter.Add(n)
			return nil
		},
	})
	if err != nil && !errors.Is(err, unix.EPIPE) {
		p.inv.Errorf("cannot relay: %v", err)
	}
}

// wait returns when fd is ready for events, or nobody reads any more what comes
// out of the joint.
func (j *joint) wait(fd int, events int16, timeout int) (ready bool, err error) {
	what := forSource
	if fd == j.to {
		what = forSink
	}
	j.waiting.Store(int32(what))
	defer j.waiting.Store(int32(forNeither))
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(j.to)}} // POLLERR needs no asking
	if _, err := endpoint.Poll(fds, time.Duration(timeout)*time.Millisecond); err != nil {
		return false, err
	}
	if fds[1].Revents != 0 {
		return false, &splice.WriteError{Err: unix.EPIPE}
	}
	return fds[0].Revents != 0, nil
}
