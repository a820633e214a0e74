package main

import (
	"errors"
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
	activity splice.Activity
	report   splice.Report
}

// newJoint takes over the two descriptors. The one to read from is made
// nonblocking, which concerns nobody else: the stage has the other end of the pipe.
// The other one blocks. The kernel then waits by itself, and not this process for what the
// stage behind has just made room for, with a poll(2) for each 64 KiB: measured
// between a writer and a reader of 64 KiB, all took 1.65 s of CPU time for 4 GiB
// that way, and 1.52 this way.
func (p *pipeline) newJoint(from, to int) *joint {
	_ = unix.SetNonblock(from, true)
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
		Wait:     j.wait,
		Activity: &j.activity,
		Progress: func(n int64) error {
			j.meter.Add(n)
			return nil
		},
	})
	if err != nil && !errors.Is(err, unix.EPIPE) {
		p.inv.Errorf("cannot relay: %v", err)
	}
}

// wait returns when fd, which is j.from, is ready for events, or nobody reads any
// more what comes out of the joint.
func (j *joint) wait(fd int, events int16, timeout int) (ready bool, err error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(j.to)}} // POLLERR needs no asking
	if _, err := endpoint.Poll(fds, time.Duration(timeout)*time.Millisecond); err != nil {
		return false, err
	}
	if fds[1].Revents != 0 {
		return false, &splice.WriteError{Err: unix.EPIPE}
	}
	return fds[0].Revents != 0, nil
}
