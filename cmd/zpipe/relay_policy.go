package main

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A policy is what differs between a relay that is all that zpipe does, single,
// and the relay of one connection of a server, served.
type policy interface {
	// complain reports an error.
	complain(format string, args ...any)
	// commandFailed takes the status of a command that failed.
	commandFailed(status int)
	// copier returns the copier of one direction.
	copier() *splice.Copier
	// activity is where the display looks at what a copy is at; nil without one.
	activity() *splice.Activity
	// poll waits for descriptors as poll(2) does; a limit below zero is none.
	poll(fds []unix.PollFd, limit time.Duration) (int, error)
	// name is what messages call a stream.
	name(s *endpoint.Stream) string
	// measure finds out how much the source has, for -S and the display.
	measure(r *relay) error
	// leaves reports whether it is no error that the peer of a unix socket has
	// closed it in order while the relay waited for something else.
	leaves(r *relay) bool
	// forgives reports whether it is no error that a sink has no reader any more.
	forgives(r *relay, to *endpoint.Stream) bool
	// guardsWrites reports whether --timeout ends a write that does not return.
	guardsWrites() bool
}

// single is the policy of a relay of one source to one sink.
type single struct{ *settings }

func (s single) complain(format string, args ...any) { s.inv.Errorf(format, args...) }

func (s single) commandFailed(status int) {
	if s.inv.Status() == 0 {
		s.inv.SetStatus(status)
	}
}

func (s single) copier() *splice.Copier {
	c := splice.New()
	c.PipeSize = s.opener.PipeSize
	tool.GiveBackOnSignal(c)
	return c
}

func (s single) activity() *splice.Activity { return &s.monitor.activity }

func (s single) poll(fds []unix.PollFd, limit time.Duration) (int, error) {
	return endpoint.Poll(fds, limit)
}

func (s single) name(stream *endpoint.Stream) string {
	if stream.Peer != "" {
		return named(stream.Endpoint) + ": " + stream.Peer
	}
	return named(stream.Endpoint)
}

func (s single) measure(r *relay) error { return s.monitor.flow.measure(r.dst.Out, r.src.In) }

func (s single) leaves(*relay) bool { return false }

// forgives a command in a conversation, which says by its status whether it had
// enough, and a peer that has ended and refuses what standard input still gives.
// For standard output and the like the process dies of SIGPIPE as a writer does,
// where it catches the signal, or the kernel has not sent it (gVisor).
func (s single) forgives(r *relay, to *endpoint.Stream) bool {
	if r.lingers(to) && hasEnded(to) {
		return true
	}
	if to.Connected() {
		return to.Command() && s.both
	}
	caught := s.outlives || s.monitor.display.Load() != nil
	broken := (caught || to.Out.Kind == splice.Pipe) && signals.Fatal(syscall.SIGPIPE)
	if broken && s.both { // the other way need not end
		s.monitor.stop()
		signals.Die(syscall.SIGPIPE)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if broken {
		r.broken, r.spoilt, r.failed[to] = true, true, true
	}
	return broken
}

// hasEnded reports whether the peer of a socket has sent all that it will send.
func hasEnded(s *endpoint.Stream) bool {
	fds := []unix.PollFd{{Fd: int32(s.Out.FD), Events: unix.POLLRDHUP}}
	_, err := endpoint.Poll(fds, 0)
	return err == nil && fds[0].Revents&unix.POLLRDHUP != 0
}

func (s single) guardsWrites() bool { return true }

// served is the policy of one connection of a server.
type served struct {
	*server
	conn *endpoint.Stream
}

func (s served) complain(format string, args ...any) {
	if !s.cutOff.Load() { // else it is our doing
		s.journal.say(format, args...)
	}
}

// commandFailed does nothing: what goes wrong with one connection is no failure
// of the server.
func (s served) commandFailed(int) {}

func (s served) copier() *splice.Copier {
	c := splice.New()
	c.Pool, c.BufferSize = s.pool, servedBuffer
	return c
}

func (s served) activity() *splice.Activity { return nil }

func (s served) poll(fds []unix.PollFd, limit time.Duration) (int, error) {
	return s.poller.Poll(fds, limit)
}

// name says whose connection it is before it says what.
func (s served) name(stream *endpoint.Stream) string {
	text := named(s.conn.Endpoint) + ": " + s.conn.Peer
	if stream == s.conn {
		return text
	}
	return text + ": " + named(stream.Endpoint)
}

func (s served) measure(*relay) error { return nil }

// leaves is how conversations over unix sockets end: few clients shut them down
// first.
func (s served) leaves(r *relay) bool { return r.both }

func (s served) forgives(r *relay, to *endpoint.Stream) bool {
	return to.Command() && r.both
}

func (s served) guardsWrites() bool { return false }

// errLeft ends a way to a peer of a served connection that has closed its end of
// a unix socket, after it has read all that was sent so far (otherwise there is
// an error as well).
var errLeft = errors.New("the peer has left")

// hasLeft reports whether the peer of a served connection has gone in that way:
// a write may find it out before a wait does.
func (r *relay) hasLeft(to *endpoint.Stream) bool {
	if !r.policy.leaves(r) || to.Kind != endpoint.Unix && to.Kind != endpoint.UnixListen {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(to.Out.FD)}}
	_, err := endpoint.Poll(fds, 0)
	return err == nil && fds[0].Revents == unix.POLLHUP
}
