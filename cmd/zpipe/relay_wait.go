package main

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
)

// A waitResult is how the wait for a source or a sink ended.
type waitResult int

const (
	ready    waitResult = iota // the descriptor is ready, or has an error to tell
	elapsed                    // the time that the engine wants to wait has passed
	silent                     // the source has given nothing for --timeout
	stuck                      // the sink has taken nothing for --timeout
	left                       // the peer of a served connection has closed its unix socket
	deserted                   // the sink has no reader any more
	hushed                     // standard input has been silent for --linger since the peer has ended
)

// errors of the engine's Wait, by result. errHushed is no failure.
var (
	errSilent = errors.New("the source gives nothing")
	errStuck  = errors.New("the sink takes nothing")
	errHushed = errors.New("the peer has ended and standard input is silent")
)

func (w waitResult) err() error {
	switch w {
	case silent:
		return errSilent
	case stuck:
		return errStuck
	case left:
		return errLeft
	case deserted:
		return &splice.WriteError{Err: unix.EPIPE}
	case hushed:
		return errHushed
	}
	return nil
}

// A waiter waits for one way of a relay. With a buffer, one goroutine waits for
// the source and another for the sink.
type waiter struct {
	*relay
	from, to *endpoint.Stream
	heard    time.Time // when the source was last ready
}

func (r *relay) newWaiter(from, to *endpoint.Stream) *waiter {
	return &waiter{relay: r, from: from, to: to, heard: time.Now()}
}

// wait is splice.Options.Wait.
func (w *waiter) wait(fd int, events int16, timeout int) (bool, error) {
	result, err := w.until(fd, events, timeout)
	if err == nil {
		err = result.err()
	}
	return result == ready, err
}

// What until waits for, besides the descriptor.
const (
	wanted = iota
	sink   // has no reader any more
	peer   // has ended: only for --linger
)

// until waits until fd is ready for events, for timeout milliseconds, below zero
// without end; or until something else ends the way:
//
//	          fd is ready, and --timeout begins anew
//	waiting ----------------------------------------------> ready
//	  | | | |  timeout is over
//	  | | | '---------------------------------------------> elapsed
//	  | | |
//	  | | |  --timeout is over                fd is ready
//	  | | '---------------------> looking ----------------> ready
//	  | |                         once more --------------> silent, stuck
//	  | |
//	  | |  the sink hangs up                  fd is ready
//	  | '-----------------------> toEnd ------------------> ready
//	  |        |                          '---------------> deserted
//	  |        '-- a served unix socket ------------------> left
//	  |
//	  |  the peer has ended                   fd is ready
//	  '-------------------------> lingering --------------> ready
//	                                   --linger is over --> hushed
//
// What is ready counts as something that moves: a buffer may take it. The error
// is that of poll.
func (w *waiter) until(fd int, events int16, timeout int) (waitResult, error) {
	fds := w.watched(fd, events)
	late, lingering := false, false
	for {
		limit := w.idle.left()
		if late {
			limit = lateness
		}
		if lingering {
			limit = sooner(limit, max(0, w.linger-time.Since(w.quietSince())))
		}
		if timeout >= 0 {
			limit = sooner(limit, time.Duration(timeout)*time.Millisecond)
		}
		if _, err := w.policy.poll(fds, limit); err != nil {
			return elapsed, err
		}
		switch over := w.idle.over(); {
		case fds[wanted].Revents != 0:
			w.moved(fd)
			return ready, nil
		case fds[sink].Revents == unix.POLLHUP && w.to.Out.Kind == splice.Socket && w.policy.leaves(w.relay):
			return left, nil
		case fds[sink].Revents != 0:
			return w.withoutReader(fds[:1])
		case fds[peer].Revents != 0:
			fds[peer].Fd, fds[peer].Revents = -1, 0
			lingering, late = true, false
		case lingering && time.Since(w.quietSince()) >= w.linger:
			return hushed, nil
		case over && w.both && !late:
			late = true // if the process was stopped, the other way may be about to move
		case over && fd == w.to.Out.FD:
			return stuck, nil
		case over:
			return silent, nil
		case timeout >= 0:
			return elapsed, nil
		default:
			late = false
		}
	}
}

// watched are the descriptors to look at. While it waits for a source, a way
// notices that its sink takes no more, as a write would by EPIPE.
func (w *waiter) watched(fd int, events int16) []unix.PollFd {
	fds := []unix.PollFd{wanted: {Fd: int32(fd), Events: events}, sink: {Fd: -1}, peer: {Fd: -1}}
	if to := w.to.Out; fd != to.FD {
		if to.Kind == splice.Pipe || to.Kind == splice.Socket {
			fds[sink].Fd = int32(to.FD) // POLLERR and POLLHUP need no asking
		}
		if w.lingers(w.to) {
			fds[peer] = unix.PollFd{Fd: int32(w.spoken.fd), Events: unix.POLLIN}
		}
	}
	return fds
}

func (w *waiter) moved(fd int) {
	w.idle.moved()
	if fd == w.from.In.FD {
		w.heard = time.Now()
	}
}

// quietSince is from when on standard input has been silent and the peer has
// ended.
func (w *waiter) quietSince() time.Time {
	if ended := time.Unix(0, w.spoken.at.Load()); ended.After(w.heard) {
		return ended
	}
	return w.heard
}

// sooner is the shorter of two limits; below zero is none.
func sooner(a, b time.Duration) time.Duration {
	if a < 0 {
		return b
	}
	return min(a, b)
}

// toEnd is how long a source may take to end once its sink has gone: a program
// such as tar(1), which knows by what it has read that this was all, does not
// wait for the end of its input.
const toEnd = 500 * time.Millisecond

// withoutReader says that the sink has gone, unless the source ends or gives
// more, which finds that out.
func (w *waiter) withoutReader(source []unix.PollFd) (waitResult, error) {
	if _, err := w.policy.poll(source, toEnd); err != nil {
		return elapsed, err
	}
	if source[0].Revents == 0 {
		return deserted, nil
	}
	w.idle.moved()
	return ready, nil
}

// spoken tells a way that waits for standard input that the socket which it
// writes to has ended.
type spoken struct {
	fd int          // an eventfd, readable from then on; -1 if nobody needs to know
	at atomic.Int64 // when it was, in nanoseconds of Unix time
}

// lingers reports whether the way to a stream ends, some time after the stream
// itself has, although its source goes on: the source cannot be told that nobody
// listens any more, as a socket or a command can.
func (r *relay) lingers(to *endpoint.Stream) bool { return r.spoken.fd >= 0 && to.Socket() }

// mayLinger makes what lingers needs.
func (r *relay) mayLinger() error {
	r.spoken.fd = -1
	if !r.both || r.src.Socket() == r.dst.Socket() {
		return nil
	}
	other := r.src
	if r.src.Socket() {
		other = r.dst
	}
	if other.Command() || other.In.Kind == splice.Socket {
		return nil
	}
	var err error
	r.spoken.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC)
	return err
}

// hasSpoken notes that a stream has ended in order.
func (r *relay) hasSpoken(from *endpoint.Stream) {
	if r.lingers(from) {
		r.spoken.at.Store(time.Now().UnixNano())
		_, _ = unix.Write(r.spoken.fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}
