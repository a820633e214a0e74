package splice

import "golang.org/x/sys/unix"

// An Event is handled between two rounds of [Copier.Tee], when every sink has the
// same bytes, or while it waits for its source. A signal handler makes one happen
// by writing to a pipe.
type Event struct {
	// FD becomes readable when the event happens.
	FD int
	// Handle handles it, and reads from FD what made it readable. It may change
	// what the sinks refer to. An error from it ends the copy.
	Handle func() error
}

// await returns when the source has something to read, or has ended. Meanwhile it
// handles the Event and, with WatchSinks, drops the sinks whose readers have gone.
func (f *fanout) await() error {
	if f.asked.Event == nil && !f.asked.WatchSinks {
		return nil
	}
	for {
		fds, watched := f.watchList()
		if _, err := f.pollAll(fds, -1); err != nil {
			return &ReadError{err}
		}
		if err := f.handleEvent(fds); err != nil {
			return err
		}
		broken, err := f.dropBroken(fds, watched)
		if err != nil || len(f.live) == 0 {
			return err
		}
		if !broken && fds[0].Revents != 0 {
			return nil
		}
	}
}

// watchList returns what to poll: the source, the Event, then the watched sinks.
func (f *fanout) watchList() (fds []unix.PollFd, watched []*Sink) {
	fds = append(f.fds[:0], unix.PollFd{Fd: int32(f.src.FD), Events: unix.POLLIN}, unix.PollFd{Fd: -1})
	if f.asked.Event != nil {
		fds[1] = unix.PollFd{Fd: int32(f.asked.Event.FD), Events: unix.POLLIN}
	}
	if f.asked.WatchSinks {
		for _, s := range f.live {
			if s.Kind == Pipe || s.Kind == Socket {
				fds = append(fds, unix.PollFd{Fd: int32(s.FD)}) // gone needs no asking
				watched = append(watched, s)
			}
		}
	}
	f.fds = fds
	return fds, watched
}

func (f *fanout) handleEvent(fds []unix.PollFd) error {
	if fds[1].Revents == 0 {
		return nil
	}
	if err := f.asked.Event.Handle(); err != nil {
		return err
	}
	for _, s := range f.live {
		s.lookAgain()
	}
	return nil
}

// gone are the events of a pipe without a reader (POLLERR) and of a socket whose peer
// has closed it (POLLHUP).
const gone = unix.POLLERR | unix.POLLHUP | unix.POLLNVAL

func (f *fanout) dropBroken(fds []unix.PollFd, watched []*Sink) (broken bool, err error) {
	for i, s := range watched {
		if fds[2+i].Revents&gone != 0 {
			broken = true
			if err := f.fail(s, unix.EPIPE); err != nil {
				return broken, err
			}
		}
	}
	return broken, nil
}
