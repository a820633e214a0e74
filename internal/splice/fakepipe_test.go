package splice

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const page = 4096

// A slot is what a pipe holds up to a page in: a reference to bytes, so that
// who writes to the file changes what a reader of the pipe gets.
type slot struct {
	data  []byte
	errno unix.Errno // what looking at the page gives: ENODATA, cut off the file; EIO, its disk
}

// A fakePipe has a number of slots, however little each one holds. Without a
// reader it is private to the engine.
type fakePipe struct {
	k      *fakeKernel
	slots  []slot
	room   int // slots
	reader *fakeReader
}

// A fakeReader reads a pipe when it likes.
type fakeReader struct {
	got     []byte
	arrived []byte        // the same bytes as they were when they came into the pipe
	pace    []int         // slots read during each of the next calls
	wakes   time.Time     // reads nothing before
	every   time.Duration // and sleeps so long after each slot
	leaves  int           // bytes after which it goes away; 0 is never
}

func (p *fakePipe) held() (n int) {
	for _, s := range p.slots {
		n += len(s.data)
	}
	return n
}

func (p *fakePipe) gone() bool {
	return p.reader != nil && p.reader.leaves > 0 && len(p.reader.got) >= p.reader.leaves
}

func (p *fakePipe) peek(d *opened, n int, _ bool) ([]slot, error) {
	if len(p.slots) == 0 {
		p.k.foul("descriptor %d would block for ever: nobody fills this pipe", d.fd)
		return nil, unix.ENOTRECOVERABLE
	}
	var seen []slot
	for _, s := range p.slots {
		if n == 0 {
			break
		}
		s.data = s.data[:min(n, len(s.data))]
		n -= len(s.data)
		seen = append(seen, s)
	}
	return seen, nil
}

func (p *fakePipe) take(_ *opened, n int) {
	for n > 0 {
		m := min(n, len(p.slots[0].data))
		p.slots[0].data = p.slots[0].data[m:]
		n -= m
		if len(p.slots[0].data) == 0 {
			p.slots = p.slots[1:]
		}
	}
}

func (p *fakePipe) put(d *opened, s []slot, how manner) (int, error) {
	done := 0
	for len(s) > 0 {
		switch {
		case p.gone() && done == 0:
			return 0, p.k.says("pipe", d.who, unix.EPIPE)
		case p.gone():
			return done, nil
		case len(p.slots) < p.room:
			done += p.accept(s[0])
			s = s[1:]
		case done > 0 && (!how.whole || d.flags&unix.O_NONBLOCK != 0):
			return done, nil
		case p.reader == nil:
			p.k.foul("descriptor %d would block for ever: nobody drains this pipe", d.fd)
			return 0, unix.ENOTRECOVERABLE
		case how.nonblock || d.flags&unix.O_NONBLOCK != 0:
			return 0, p.k.again("write", d, unix.POLLOUT, how.nonblock)
		default:
			p.wait()
		}
	}
	return done, nil
}

func (p *fakePipe) accept(s slot) int {
	p.slots = append(p.slots, s)
	if p.reader != nil {
		p.reader.arrived = append(p.reader.arrived, s.data...)
	}
	return len(s.data)
}

// readSlots lets the reader read n slots.
func (p *fakePipe) readSlots(n int) {
	if p.k.clock.Before(p.reader.wakes) {
		return
	}
	for ; n > 0 && len(p.slots) > 0 && !p.gone(); n-- {
		p.reader.got = append(p.reader.got, p.slots[0].data...)
		p.slots = p.slots[1:]
		if p.reader.every > 0 {
			p.reader.wakes = p.k.clock.Add(p.reader.every)
			return
		}
	}
}

func (p *fakePipe) readAll() {
	if p.reader != nil {
		p.readSlots(len(p.slots))
	}
}

// atPace lets the reader do what it does during any call.
func (p *fakePipe) atPace() {
	if p.reader != nil && len(p.reader.pace) > 0 {
		p.readSlots(p.reader.pace[0])
		p.reader.pace = p.reader.pace[1:]
	}
}

// wait passes the time until the reader has made room.
func (p *fakePipe) wait() {
	if p.k.clock.Before(p.reader.wakes) {
		p.k.clock = p.reader.wakes
	}
	p.readSlots(1)
}

// poll answers as poll(2) does for a pipe's writing end.
func (p *fakePipe) poll(d *opened, events int16, timeout int) int16 {
	switch {
	case p.reader == nil:
		p.k.foul("poll on a private pipe")
	case p.gone():
		p.k.says("poll", d.who, unix.EPIPE)
		return unix.POLLERR
	case events == 0 || len(p.slots) < p.room:
		return events
	case timeout < 0:
		p.wait()
		return events
	}
	p.k.clock = p.k.clock.Add(time.Duration(timeout) * time.Millisecond)
	p.readAll()
	if p.gone() {
		return unix.POLLERR
	}
	if len(p.slots) < p.room {
		return events
	}
	return 0
}

func (k *fakeKernel) pipe() (r, w int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.simple("pipe", nobody); err != nil {
		return -1, -1, err
	}
	p := &fakePipe{k: k, room: min(16, k.biggestPipe/page)}
	in := k.addPrivate(p, nobody, Pipe, unix.O_RDONLY)
	out := k.addPrivate(p, nobody, Pipe, unix.O_WRONLY)
	return in.fd, out.fd, nil
}

func (k *fakeKernel) setPipeSize(fd, size int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.at(fd)
	p, isPipe := d.object.(*fakePipe)
	if err := k.simple("F_SETPIPE_SZ", nobody); err != nil {
		return -1, err
	}
	room := 1
	for room*page < size {
		room *= 2
	}
	switch {
	case !isPipe:
		return -1, k.says("F_SETPIPE_SZ", nobody, unix.EBADF)
	case size <= 0:
		return -1, k.says("F_SETPIPE_SZ", nobody, unix.EINVAL)
	case room > p.room && room*page > k.biggestPipe:
		return -1, k.says("F_SETPIPE_SZ", nobody, unix.EPERM)
	case room < len(p.slots):
		return -1, k.says("F_SETPIPE_SZ", nobody, unix.EBUSY)
	case !d.private && room < p.room:
		k.foul("the pipe at %d, which was given, is made smaller", fd)
	}
	p.room = room
	return room * page, nil
}

func (k *fakeKernel) pipeSize(fd int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.simple("F_GETPIPE_SZ", nobody); err != nil {
		return -1, err
	}
	p, isPipe := k.at(fd).object.(*fakePipe)
	if !isPipe {
		return -1, unix.EBADF
	}
	return p.room * page, nil
}

func (k *fakeKernel) unread(fd int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("FIONREAD")
	return k.at(fd).object.(*fakePipe).held(), nil
}

// slotsIn cuts bytes that are written into what slots hold.
func slotsIn(p []byte) []slot {
	var s []slot
	for part := range slices.Chunk(slices.Clone(p), page) {
		s = append(s, slot{data: part})
	}
	return s
}
