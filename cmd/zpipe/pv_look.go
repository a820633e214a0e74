package main

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"

	"zeroutils/internal/rawio"
	"zeroutils/internal/splice"
)

// lookSize is how much is read at a time where the bytes are looked at.
const lookSize = 256 << 10

// looks reports whether the bytes have to come to user space: to count lines, to
// show them, to make holes of them, or to go on behind a read error.
func (p *pv) looks() bool {
	return p.look.Lines || p.sparse || p.skip > 0 || p.noSplice && p.line.Has("last-written", "previous-line")
}

// copyLooking reads a source, looks at the bytes and writes them.
func (p *pv) copyLooking(name string, src *splice.Descriptor) error {
	size := lookSize
	if p.bufferSize > 0 {
		size = p.bufferSize
	}
	r := &reader{pv: p, name: name, src: src, buf: make([]byte, size)}
	for {
		data, err := r.next()
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return p.endHole()
		}
		data, err = p.cut(data)
		for rest := data; len(rest) > 0; {
			n := p.limiter.Admit(len(rest))
			if err := p.write(rest[:n]); err != nil {
				return err
			}
			p.limiter.Passed(n)
			rest = rest[n:]
		}
		if err != nil {
			return err
		}
	}
}

// cut leaves off what is beyond the size to stop at: errOver.
func (p *pv) cut(data []byte) ([]byte, error) {
	if p.left < 0 {
		return data, nil
	}
	if !p.look.Lines {
		n := min(int64(len(data)), p.left)
		p.left -= n
		if p.left == 0 {
			return data[:n], errOver
		}
		return data, nil
	}
	for at := 0; ; {
		i := bytes.Index(data[at:], p.terminator())
		if i < 0 {
			return data, nil
		}
		at += i + 1
		if p.left--; p.left == 0 {
			return data[:at], errOver
		}
	}
}

// write writes bytes, counts them and keeps what the display shows of them.
func (p *pv) write(data []byte) error {
	for rest := data; len(rest) > 0; {
		n, err := p.writeSome(rest)
		if err != nil {
			return &splice.WriteError{Err: err}
		}
		p.note(rest[:n])
		rest = rest[n:]
	}
	if p.sync {
		return p.flush()
	}
	return nil
}

func (p *pv) writeSome(data []byte) (int, error) {
	if p.sparse && p.out.Kind == splice.Regular && len(bytes.Trim(data, "\x00")) == 0 {
		_, err := unix.Seek(p.out.FD, int64(len(data)), unix.SEEK_CUR)
		p.hole = err == nil
		return len(data), err
	}
	p.hole = false
	return len(data), rawio.WriteAll(p.out.FD, data)
}

// endHole gives a file that ends in a hole its length.
func (p *pv) endHole() error {
	if !p.hole {
		return nil
	}
	at, err := unix.Seek(p.out.FD, 0, unix.SEEK_CUR)
	if err == nil {
		err = unix.Ftruncate(p.out.FD, at)
	}
	if err != nil {
		return &splice.WriteError{Err: err}
	}
	return nil
}

// note counts bytes that were written.
func (p *pv) note(data []byte) {
	if p.look.Lines {
		p.meter.Add(int64(bytes.Count(data, p.terminator())))
	} else {
		p.meter.Add(int64(len(data)))
	}
	if !p.keeps {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.Tail = append(p.seen.Tail, data[max(0, len(data)-p.longest):]...)
	p.seen.Tail = p.seen.Tail[max(0, len(p.seen.Tail)-p.longest):]
	for rest := data; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			p.partial = append(p.partial, rest[:min(len(rest), max(0, widest-len(p.partial)))]...)
			return
		}
		if j := bytes.LastIndexByte(rest[:i], '\n'); j >= 0 {
			p.partial, rest, i = nil, rest[j+1:], i-j-1
		}
		p.seen.Line = append(p.seen.Line[:0], append(p.partial, rest[:min(i, widest)]...)...)
		p.partial, rest = p.partial[:0], rest[i+1:]
	}
}

// A reader reads a source and, with -E, goes on behind what cannot be read.
type reader struct {
	*pv
	name    string
	src     *splice.Descriptor
	buf     []byte
	said    bool
	errors  int   // since something was read
	skipped int64 // NUL bytes that are still to be given
}

// next returns the bytes that come next, none at the end.
func (r *reader) next() ([]byte, error) {
	for {
		if r.skipped > 0 {
			n := min(r.skipped, int64(len(r.buf)))
			r.skipped -= n
			clear(r.buf[:n])
			return r.buf[:n], nil
		}
		n, err := unix.Read(r.src.FD, r.buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			if err := waitUntilReady(r.src.FD, unix.POLLIN); err != nil {
				return nil, &splice.ReadError{Err: err}
			}
			continue
		case err == nil:
			r.errors = 0
			return r.buf[:n], nil
		case r.skip == 0:
			return nil, &splice.ReadError{Err: err}
		}
		if err := r.pass(err); err != nil {
			return nil, err
		}
	}
}

// pass skips a part of the source that cannot be read, for which NUL bytes come.
func (r *reader) pass(why error) error {
	at, err := unix.Seek(r.src.FD, 0, unix.SEEK_CUR)
	if err != nil || errors.Is(why, unix.EISDIR) {
		return &splice.ReadError{Err: why}
	}
	r.errors++
	n := r.step(at)
	if size := r.length(); size >= 0 && at+n > size {
		n = min(1, size-at)
	}
	if n <= 0 {
		return &splice.ReadError{Err: why}
	}
	if _, err := unix.Seek(r.src.FD, n, unix.SEEK_CUR); err != nil {
		return &splice.ReadError{Err: why}
	}
	r.status |= pvTransfer
	if !r.said {
		r.inv.Warnf("%s: warning: read errors detected: %v", r.name, why)
	}
	if r.skip == 1 {
		r.inv.Warnf("%s: skipped past read error: %d - %d (%d B)", r.name, at, at+n, n)
	}
	r.said = true
	r.skipped = n
	return nil
}

// step is how much an error at an offset skips, as in pv: to the next multiple of
// -Z, or of a number that grows with the errors, slowly at first, and no more than
// pv's buffer would hold.
func (r *reader) step(at int64) int64 {
	unit := r.skipBlock
	switch {
	case unit > 0:
	case r.errors < 5:
		unit = 1
	case r.errors < 10:
		unit = 2
	default:
		unit = 1 << min(r.errors-10, 9)
	}
	return min(unit-at%unit, r.buffered())
}

// buffered is the size of pv's buffer for the source, in bytes.
func (r *reader) buffered() int64 {
	const blocks, most = 32, 512 << 10
	if r.bufferSize > 0 {
		return int64(r.bufferSize)
	}
	return min(max(int64(r.src.Stat.Blksize)*blocks, 1), most)
}

// length is the size of the source, and -1 if it has none.
func (r *reader) length() int64 {
	switch r.src.Kind {
	case splice.Regular:
		return r.src.Stat.Size
	case splice.Block:
		return deviceSize(uint64(r.src.Stat.Rdev))
	}
	return -1
}

// waitUntilReady waits until a nonblocking descriptor is ready.
func waitUntilReady(fd int, events int16) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return err
		}
	}
}
