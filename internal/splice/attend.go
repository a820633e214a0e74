package splice

import "golang.org/x/sys/unix"

// An Attention is a descriptor to be looked after while a fan-out waits for
// its source, so that a signal handler can have something done between two
// rounds, when every sink has the same bytes.
type Attention struct {
	// FD becomes readable when there is something to do.
	FD int
	// Do does it, and takes from FD what made it readable. It may change what
	// the sinks refer to. An error from it ends the copy.
	Do func() error
}

// await returns when the source has something to read, or has ended. Meanwhile
// it does what Options.Attend asks for and, with Options.WatchSinks, drops the
// sinks whose readers have gone. It asks for no more than is watched.
func (f *fanout) await() error {
	if f.options.Attend == nil && !f.options.WatchSinks {
		return nil
	}
	for {
		fds, watched := f.watchList()
		if _, err := f.pollAll(fds, -1); err != nil {
			return &ReadError{err}
		}
		if err := f.attend(fds); err != nil {
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

// watchList is the source, then Options.Attend, then the sinks that are
// watched, which are returned beside it.
func (f *fanout) watchList() (fds []unix.PollFd, watched []*Sink) {
	fds = append(f.fds[:0], unix.PollFd{Fd: int32(f.src.FD), Events: unix.POLLIN}, unix.PollFd{Fd: -1})
	if f.options.Attend != nil {
		fds[1] = unix.PollFd{Fd: int32(f.options.Attend.FD), Events: unix.POLLIN}
	}
	if f.options.WatchSinks {
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

func (f *fanout) attend(fds []unix.PollFd) error {
	if fds[1].Revents == 0 {
		return nil
	}
	if err := f.options.Attend.Do(); err != nil {
		return err
	}
	for _, s := range f.live {
		s.lookAgain()
	}
	return nil
}

// gone is what poll says of a pipe without a reader (POLLERR) and of a socket
// whose peer has closed it (POLLHUP).
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
