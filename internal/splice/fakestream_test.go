package splice

import "golang.org/x/sys/unix"

// A fakeStream is a source that is consumed: a pipe that somebody fills, a
// socket, a terminal, a device.
type fakeStream struct {
	k        *fakeKernel
	segments [][]byte   // what comes together, a page at most: a slot of a pipe, a packet, a line
	dry      []bool     // of each segment: a nonblocking reader has to wait for it
	burst    int        // segments that one call gets at most
	fails    unix.Errno // after the last segment, in place of the end
	consumed int64
	typed    bool // a terminal: the end is an empty segment, and is not to be asked for again
	ended    bool

	refusal unix.Errno // what splice says from refuseAt bytes on
	refuse  int64

	urgent  []int64 // positions of urgent bytes, which all but read(2) take for the end and none crosses
	records bool    // a segment is a record: what a read has no room for is lost
}

func (s *fakeStream) peek(d *opened, n int, plain bool) ([]slot, error) {
	switch {
	case s.typed && s.ended:
		s.k.foul("a terminal was asked again after its end")
	case !plain && s.refusal != 0 && s.consumed >= s.refuse:
		return nil, s.k.says("splice in", d.who, s.refusal)
	case len(s.segments) == 0 && s.fails != 0:
		return nil, s.k.says("read", d.who, s.fails)
	case len(s.segments) > 0 && s.waitsFor() && d.flags&unix.O_NONBLOCK != 0:
		return nil, s.k.again("read", d, unix.POLLIN, false)
	}
	if s.records && !plain {
		s.k.foul("records are spliced")
	}
	if len(s.urgent) > 0 && plain && s.urgent[0] == s.consumed {
		s.urgent = s.urgent[1:]
	}
	if len(s.urgent) > 0 {
		n = min(n, int(s.urgent[0]-s.consumed))
	}
	var seen []slot
	for i, segment := range s.segments {
		if n == 0 || i == max(s.burst, 1) || len(segment) == 0 || i > 0 && s.records {
			break
		}
		segment = segment[:min(n, len(segment))]
		n -= len(segment)
		seen = append(seen, slot{data: segment})
	}
	s.ended = len(seen) == 0
	return seen, nil
}

func (s *fakeStream) waitsFor() bool { return len(s.dry) > 0 && s.dry[0] }

// arrive is what poll waits for.
func (s *fakeStream) arrive() {
	if len(s.dry) > 0 {
		s.dry[0] = false
	}
}

func (s *fakeStream) take(_ *opened, n int) {
	s.consumed += int64(n)
	if s.records && n > 0 {
		if n < len(s.segments[0]) {
			s.k.foul("a record of %d bytes is cut to %d", len(s.segments[0]), n)
		}
		s.segments, s.dry = s.segments[1:], s.dry[min(1, len(s.dry)):]
		return
	}
	for n > 0 {
		m := min(n, len(s.segments[0]))
		s.segments[0] = s.segments[0][m:]
		n -= m
		if len(s.segments[0]) == 0 {
			s.segments = s.segments[1:]
			s.dry = s.dry[min(1, len(s.dry)):]
		}
	}
}

func (s *fakeStream) put(d *opened, _ []slot, _ manner) (int, error) {
	return 0, s.k.says("write", d.who, unix.EBADF)
}

// A fakeHole is a sink that keeps what it gets: a socket, a terminal, a device.
type fakeHole struct {
	k       *fakeKernel
	got     []byte
	rooms   []int // bytes it takes until the next EAGAIN, if it is nonblocking; then no more waiting
	room    int
	refusal unix.Errno // what splice and sendfile say
	full    int64      // bytes after which it fails with err; -1 is never
	err     unix.Errno
}

func (h *fakeHole) peek(d *opened, _ int, _ bool) ([]slot, error) {
	return nil, h.k.says("read", d.who, unix.EBADF)
}

func (h *fakeHole) take(*opened, int) {}

func (h *fakeHole) put(d *opened, slots []slot, how manner) (int, error) {
	if h.refusal != 0 && !how.whole {
		return 0, h.k.says("splice out", d.who, h.refusal)
	}
	done := 0
	for _, s := range slots {
		room := len(s.data)
		if h.err != 0 {
			room = min(room, int(h.full)-len(h.got))
		}
		waits := d.flags&unix.O_NONBLOCK != 0 && len(h.rooms) > 0
		if waits {
			room = min(room, h.room)
		}
		switch {
		case s.errno == unix.ENODATA || s.errno != 0 && done > 0:
			return done, nil
		case s.errno != 0:
			return 0, h.k.says("splice out", source, s.errno)
		case room > 0:
			h.got = append(h.got, s.data[:room]...)
			h.room -= room
			done += room
		}
		switch {
		case room == len(s.data):
		case done > 0:
			return done, nil
		case waits && h.room == 0:
			return 0, h.k.again("write", d, unix.POLLOUT, false)
		default:
			return 0, h.k.says("write", d.who, h.err)
		}
	}
	return done, nil
}

// makeRoom is what poll waits for.
func (h *fakeHole) makeRoom() {
	if h.room <= 0 && len(h.rooms) > 0 {
		h.room, h.rooms = h.rooms[0], h.rooms[1:]
	}
}

// A fakeBell is a descriptor that becomes readable when it is polled for the
// so-manieth time.
type fakeBell struct {
	object
	rings int
}

func (b *fakeBell) poll(events int16) int16 {
	if b.rings--; b.rings >= 0 {
		return 0
	}
	return events
}
