package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// relay moves what one stream gives to the other, and then tells the other that
// this was the end: in a relay in both directions, of this one only.
func (p *pair) relay(from, to *endpoint.Stream) {
	copier := p.copier()
	report, err := p.monitor.flow.copy(copier, to.Out, from.In, p.options(from, to))
	copier.Close()
	if err != nil {
		p.explain(from, to, report.Delivered, err)
		from.EndInput() // a command that waits for its output to be read would not read its input either
	}
	if to == p.dst {
		report.Copied += p.copiesForDevice(report)
	}
	if err := to.EndOutput(); err != nil {
		p.fail(to, "write error", err)
	}
	p.mu.Lock()
	p.report.Add(report)
	p.enough = p.enough || p.monitor.flow.reached(report.Delivered)
	p.ended++
	p.mu.Unlock()
	if err != nil && p.both {
		p.hearOut(from)
	}
}

// hearOut throws away what a peer says whom nobody hears any more, until the way
// to it has ended as well: it might not listen if it could not speak.
func (p *pair) hearOut(from *endpoint.Stream) {
	const glance = 100 * time.Millisecond // after which the other way is looked at
	for from.Socket() && !p.bothEnded() {
		fds := []unix.PollFd{{Fd: int32(from.In.FD), Events: unix.POLLIN}}
		if _, err := p.poll(fds, glance); err != nil || fds[0].Revents != 0 && from.Discard() {
			return
		}
	}
}

func (p *pair) bothEnded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended == 2
}

// options are those of one way. The engine waits by itself unless there is more
// to wait for than the source.
func (p *pair) options(from, to *endpoint.Stream) splice.Options {
	o := splice.Options{Method: p.inv.Method}
	p.monitor.follow(&o)
	if !p.both && p.timeout == 0 && !from.Connected() && !to.Connected() {
		return o
	}
	o.Wait = func(fd int, events int16, timeout int) (bool, error) { return p.wait(to.Out, fd, events, timeout) }
	if p.timeout > 0 {
		counts := o.Progress
		o.Progress = func(n int64) error {
			p.idle.moved()
			if counts == nil {
				return nil
			}
			return counts(n)
		}
	}
	return o
}

// errLeft ends a way to a peer of a served connection that has closed its end of
// a unix socket, after it has read all that was sent so far (otherwise there is
// an error as well): that is how such connections end.
var errLeft = errors.New("the peer has left")

// hasLeft reports whether the peer of a served connection has gone in that way:
// a write may find it out before a wait does.
func (p *pair) hasLeft(to *endpoint.Stream) bool {
	if p.served == nil || !p.both || to.Kind != endpoint.Unix && to.Kind != endpoint.UnixListen {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(to.Out.FD)}}
	_, err := endpoint.Poll(fds, 0)
	return err == nil && fds[0].Revents == unix.POLLHUP
}

// wait is splice.Options.Wait. What is ready counts as something that moves: a
// buffer may take it. While it waits for a source, it notices that the sink takes
// no more: EPIPE, as from a write.
func (p *pair) wait(to *splice.Descriptor, fd int, events int16, timeout int) (ready bool, err error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: -1}}
	if fd != to.FD && (to.Kind == splice.Pipe || to.Kind == splice.Socket) {
		fds[1].Fd = int32(to.FD) // POLLERR and POLLHUP need no asking
	}
	for late := false; ; {
		limit := p.idle.left()
		if late {
			limit = lateness
		}
		if timeout >= 0 && (limit < 0 || limit > time.Duration(timeout)*time.Millisecond) {
			limit = time.Duration(timeout) * time.Millisecond
		}
		_, err := p.poll(fds, limit)
		switch {
		case err != nil:
			return false, err
		case fds[0].Revents != 0:
			p.idle.moved()
			return true, nil
		case fds[1].Revents == unix.POLLHUP && to.Kind == splice.Socket && p.served != nil && p.both:
			return false, errLeft
		case fds[1].Revents != 0:
			return p.withoutReader(fds[:1])
		case p.idle.over() && p.both && !late:
			late = true // if the process was stopped, the other way may be about to move
			continue
		case p.idle.over() && fd == to.FD:
			return false, errStuck
		case p.idle.over():
			return false, errSilent
		case timeout >= 0:
			return false, nil
		}
		late = false
	}
}

// toEnd is how long a source may take to end once its sink has gone: a program
// such as tar(1), which knows by what it has read that this was all, does not
// wait for the end of its input.
const toEnd = 500 * time.Millisecond

// withoutReader says that the sink has gone, unless the source ends or gives
// more, which finds that out.
func (p *pair) withoutReader(source []unix.PollFd) (ready bool, err error) {
	if _, err := p.poll(source, toEnd); err != nil {
		return false, err
	}
	if source[0].Revents == 0 {
		return false, &splice.WriteError{Err: unix.EPIPE}
	}
	p.idle.moved()
	return true, nil
}

// explain prints what ended a way early, after so many bytes were delivered.
func (p *pair) explain(from, to *endpoint.Stream, delivered int64, err error) {
	var read *splice.ReadError
	var write *splice.WriteError
	switch {
	case err == errSilent && p.both:
		p.timedOut(p.peer(), "read error")
	case err == errSilent:
		p.timedOut(from, "read error")
	case err == errStuck:
		p.timedOut(to, "write error")
	case err == errLeft, errors.Is(err, unix.EPIPE) && p.hasLeft(to):
		p.mu.Lock()
		p.enough = true
		p.mu.Unlock()
	case errors.As(err, &read):
		p.fail(from, "read error", err)
	case errors.Is(err, unix.ENOSPC) && errors.As(err, &write) && to.Out.Kind == splice.Block:
		p.fail(to, "write error", fmt.Errorf("the device is full after %d bytes", delivered))
	case errors.As(err, &write):
		if errors.Is(err, unix.EPIPE) && p.forgives(to) {
			return
		}
		p.fail(to, "write error", err)
	case p.first(nil): // of both ways
		p.complain("cannot relay: %v", err)
	}
}

// forgives reports whether it is no error that the reader of a sink has gone. A
// command in a conversation says by its status whether it had enough. For
// standard output and the like the process will die of SIGPIPE as a writer does,
// where it catches the signal, or the kernel has not sent it (gVisor).
func (p *pair) forgives(to *endpoint.Stream) bool {
	if to.Connected() || p.served != nil {
		return to.Command() && p.both
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	caught := p.outlives || p.monitor.display.Load() != nil
	p.broken = (caught || to.Out.Kind == splice.Pipe) && signals.Fatal(syscall.SIGPIPE)
	if p.broken && p.both { // the other way need not end
		p.monitor.stop()
		signals.Die(syscall.SIGPIPE)
	}
	if p.broken {
		p.failed[to] = true
	}
	return p.broken
}

// fail prints an error, the first of a stream.
func (p *pair) fail(s *endpoint.Stream, side string, err error) {
	if !p.first(s) {
		return
	}
	if s.Kind == endpoint.Standard {
		p.complain("%s: %v", side, err)
		return
	}
	p.complain("%s: %v", p.nameOf(s), err)
}

// first notes that a stream has failed, and reports whether that is new.
func (p *pair) first(s *endpoint.Stream) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	said := p.failed[s]
	p.failed[s] = true
	return !said
}

// nameOf is what messages call a stream: of a connection that is served, whose
// it is before what it is.
func (p *pair) nameOf(s *endpoint.Stream) string {
	switch {
	case s.Peer != "":
		return named(s.Endpoint) + ": " + s.Peer
	case p.served != nil:
		return p.nameOf(p.served) + ": " + named(s.Endpoint)
	}
	return named(s.Endpoint)
}

// named is what messages call an endpoint. Quoting, as file names have it,
// would put all those with a colon between quotes.
func named(e endpoint.Endpoint) string {
	isName := e.Kind == endpoint.File && !strings.HasPrefix(e.Text, "file:")
	if isName || strings.ContainsFunc(e.Text, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
		return tool.Quote(e.Text)
	}
	return e.Text
}

func (p *pair) cannotOpen(e endpoint.Endpoint, standard string, err error) {
	if e.Kind != endpoint.Standard {
		standard = p.nameOf(&endpoint.Stream{Endpoint: e})
	}
	p.complain("%s: %v", standard, err)
}
