// Package poller is poll(2) for goroutines. One thread in epoll_wait(2) serves
// thousands of them.
//
// The Go runtime's own poller waits for one direction of one os.File. A relay has to
// wait for its source and watch its sink in the same call, as with poll(2).
package poller

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ErrClosed is the error of Poll after Close.
var ErrClosed = errors.New("the poller is closed")

// A Poller waits for descriptors on behalf of any number of goroutines.
type Poller struct {
	epoll int
	bell  int           // an eventfd in the epoll set, which Close makes readable
	ended chan struct{} // is closed when the thread has gone

	mu      sync.Mutex
	watched map[int]*descriptor
	serial  int32 // of the last descriptor
	err     error // why Poll fails from now on
}

// A descriptor is in the epoll set for the events that its waiters want, until one of
// them happens (EPOLLONESHOT): events that nobody waits for cost nothing. As epoll is
// level-triggered, arming it again reports a state that persists.
type descriptor struct {
	fd      int
	serial  int32 // tells it from another of the same number
	armed   bool
	events  uint32 // of which it reports, if armed, besides errors and hangups
	waiting []*waiter
}

// A waiter is one call of Poll.
type waiter struct {
	fds  []unix.PollFd
	wake chan struct{} // holds a token when something has happened
	err  error         // why the call fails
}

// New starts a Poller, which has two descriptors and a goroutine until Close.
// The error is EMFILE, ENFILE or ENOMEM.
func New() (*Poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	p := &Poller{epoll: epoll, bell: -1, ended: make(chan struct{}), watched: make(map[int]*descriptor)}
	if p.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, p.bell, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(p.bell)})
	}
	if err != nil {
		p.release()
		return nil, err
	}
	go p.run()
	return p, nil
}

// Close ends the goroutine and closes the descriptors. Calls of Poll, waiting or
// later, return [ErrClosed].
func (p *Poller) Close() {
	p.mu.Lock()
	closed := p.err == ErrClosed
	if !closed {
		p.fail(ErrClosed)
		_, _ = unix.Write(p.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // 8 bytes always fit
	}
	p.mu.Unlock()
	<-p.ended
	if !closed {
		p.release()
	}
}

func (p *Poller) release() {
	unix.Close(p.epoll)
	if p.bell >= 0 {
		unix.Close(p.bell)
	}
}

// fail ends all waiting with an error. mu is held.
func (p *Poller) fail(err error) {
	p.err = err
	for _, d := range p.watched {
		for _, w := range d.waiting {
			w.err = err
			w.wakeUp()
		}
	}
}

// Poll waits until one of fds is ready, at most for limit; a negative limit is none.
// It sets their Revents and returns how many are ready, as poll(2) does: negative
// descriptors are ignored, and regular files are always ready. When the limit is
// reached it polls once more, for a process that was stopped meanwhile (SIGSTOP). The
// error is EBADF, ENOMEM, [ErrClosed], or ENOSPC beyond fs.epoll.max_user_watches.
func (p *Poller) Poll(fds []unix.PollFd, limit time.Duration) (int, error) {
	w := &waiter{fds: fds, wake: make(chan struct{}, 1)}
	if err := p.add(w); err != nil {
		return p.remove(w), err
	}
	w.wait(limit)
	happened := p.remove(w)
	if happened == 0 && w.err == nil {
		return look(fds)
	}
	return happened, w.err
}

// look is poll(2) without waiting.
func look(fds []unix.PollFd) (int, error) {
	for {
		n, err := unix.Poll(fds, 0)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// wait returns when something has happened, or when the limit is reached.
func (w *waiter) wait(limit time.Duration) {
	if limit < 0 {
		<-w.wake
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-w.wake:
	case <-timer.C:
	}
}

func (p *Poller) add(w *waiter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range w.fds {
		w.fds[i].Revents = 0
	}
	if p.err != nil {
		return p.err
	}
	for _, f := range w.fds {
		if f.Fd < 0 {
			continue
		}
		d := p.watched[int(f.Fd)]
		if d == nil {
			p.serial++
			d = &descriptor{fd: int(f.Fd), serial: p.serial}
		}
		d.waiting = append(d.waiting, w)
		switch err := p.arm(d); err {
		case nil:
		case unix.EPERM:
			w.notice(d.fd, unix.POLLIN|unix.POLLOUT)
		default:
			return err
		}
	}
	return nil
}

// arm adds the events that the waiters want to the epoll set.
func (p *Poller) arm(d *descriptor) error {
	var want uint32
	for _, w := range d.waiting {
		want |= w.events(d.fd)
	}
	if d.armed && want&^d.events == 0 {
		return nil
	}
	how := unix.EPOLL_CTL_MOD
	if p.watched[d.fd] == nil {
		how = unix.EPOLL_CTL_ADD
	}
	event := unix.EpollEvent{Events: want | unix.EPOLLONESHOT, Fd: int32(d.fd), Pad: d.serial}
	if err := unix.EpollCtl(p.epoll, how, d.fd, &event); err != nil {
		return err
	}
	p.watched[d.fd] = d
	d.armed, d.events = true, want
	return nil
}

// events returns the events that a waiter wants of a descriptor. Once it has got one
// it wants no more: epoll would report the same until the goroutine runs. The bits
// of poll and epoll are the same.
func (w *waiter) events(fd int) (events uint32) {
	for _, f := range w.fds {
		if int(f.Fd) == fd && f.Revents == 0 {
			events |= uint32(uint16(f.Events))
		}
	}
	return events
}

// remove takes the waiter off its descriptors, and returns how many are ready.
func (p *Poller) remove(w *waiter) (happened int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range w.fds {
		if f.Revents != 0 {
			happened++
		}
		if d := p.watched[int(f.Fd)]; d != nil {
			d.drop(w)
		}
	}
	return happened
}

func (d *descriptor) drop(w *waiter) {
	for i, other := range d.waiting {
		if other == w {
			last := len(d.waiting) - 1
			d.waiting[i], d.waiting[last] = d.waiting[last], nil
			d.waiting = d.waiting[:last]
			return
		}
	}
}

// Forget has to be called before a descriptor is closed. No goroutine may wait for it
// then.
func (p *Poller) Forget(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watched[fd] != nil && p.err == nil {
		_ = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil) // closing it would do, but for a child that has it for a moment
	}
	delete(p.watched, fd)
}

// run passes events on until Close is called, or epoll_wait(2) fails.
func (p *Poller) run() {
	defer close(p.ended)
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := unix.EpollWait(p.epoll, events, -1)
		p.mu.Lock()
		if err != nil && err != unix.EINTR && p.err == nil {
			p.fail(err)
		}
		if p.err != nil {
			p.mu.Unlock()
			return
		}
		for _, e := range events[:max(n, 0)] {
			p.dispatch(e)
		}
		p.mu.Unlock()
		runtime.Gosched() // the woken go first: a round trip by way of a server on one CPU takes 0.1 ms, not 0.4
	}
}

// dispatch passes an event on, unless its descriptor was closed and the number is in
// use again.
func (p *Poller) dispatch(e unix.EpollEvent) {
	if d := p.watched[int(e.Fd)]; d != nil && d.serial == e.Pad {
		p.happened(d, e.Events)
	}
}

// happened wakes those who wait for one of the events, and arms the descriptor
// again for the others.
func (p *Poller) happened(d *descriptor, events uint32) {
	d.armed = false
	left := false
	for _, w := range d.waiting {
		if !w.notice(d.fd, events) {
			left = true
		}
	}
	if !left {
		return
	}
	if err := p.arm(d); err != nil {
		for _, w := range d.waiting {
			w.err = err
			w.wakeUp()
		}
	}
}

func (w *waiter) notice(fd int, events uint32) (wanted bool) {
	for i := range w.fds {
		f := &w.fds[i]
		if int(f.Fd) != fd {
			continue
		}
		if got := int16(events) & (f.Events | unix.POLLERR | unix.POLLHUP | unix.POLLNVAL); got != 0 {
			f.Revents |= got
			wanted = true
		}
	}
	if wanted {
		w.wakeUp()
	}
	return wanted
}

func (w *waiter) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
