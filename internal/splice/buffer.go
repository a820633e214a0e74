package splice

import (
	"sync"

	"golang.org/x/sys/unix"
)

// A Buffer is memory between a source that comes in bursts and a sink that is
// slow.
type Buffer struct {
	Size int // bytes
	// Fill is how much of it, in percent, is filled before anything goes out,
	// and again each time when it has run empty.
	Fill int
}

// CopyBuffered is [Copier.Copy] by way of a buffer: the source is read beside
// the sink's being written to, for as long as the buffer has room. What was read
// when the source fails is delivered before the error is returned; when the sink
// fails, what is in the buffer is lost.
//
// It reads and writes, and no other method serves. The error may also be ENOMEM.
func (c *Copier) CopyBuffered(dst, src *Descriptor, b Buffer, o Options) (Report, error) {
	t := c.newTransfer(dst, src, o)
	t.method = ReadWrite
	if o.Method != Auto && o.Method != ReadWrite {
		return t.finish(&UnservedError{Method: o.Method, Src: src.Kind, Dst: dst.Kind})
	}
	memory, err := unix.Mmap(-1, 0, max(b.Size, smallestPipe), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return t.finish(err)
	}
	defer unix.Munmap(memory)
	r := newRing(memory, b.Fill)
	in := c.newTransfer(dst, src, o)
	in.options.Limiter, in.options.Activity = nil, nil // they are the writer's
	var reader sync.WaitGroup
	reader.Go(func() { r.end(in.fillRing(r)) })
	err = t.drainRing(r)
	r.stop()
	reader.Wait()
	if err == nil {
		err = r.err
	}
	src.advance(r.read)
	dst.wrote(t.report.Delivered)
	t.calls += in.calls
	return t.finish(err)
}

// fillRing reads the source into the ring until it ends, or nobody takes out
// what is in there.
func (t *transfer) fillRing(r *ring) error {
	for t.left > 0 {
		room := r.room()
		if room == nil {
			return nil
		}
		if ready, err := t.awaitSourceBeside(r); err != nil || !ready {
			return err
		}
		n, err := t.readSource(room[:t.next(len(room))])
		if err != nil || n == 0 {
			return err
		}
		t.left -= int64(n)
		r.filled(n)
	}
	return nil
}

// stopPoll is how often, in milliseconds, a reader that waits for its source
// looks whether the sink has failed.
const stopPoll = 100

// awaitSourceBeside returns true when the source can be read, and false when
// that is of no use any more.
func (t *transfer) awaitSourceBeside(r *ring) (bool, error) {
	if t.options.Wait != nil || t.src.Kind == Regular || t.src.Kind == Block {
		return true, nil // Wait notices the sink's end, and a file never waits
	}
	for !r.stopped() {
		if ready, err := t.poll(t.src.FD, unix.POLLIN, stopPoll); err != nil || ready {
			return true, nil // an error is read's to tell
		}
	}
	return false, nil
}

// drainRing writes to the sink what is in the ring, until that is empty and has
// ended.
func (t *transfer) drainRing(r *ring) error {
	for {
		t.options.Activity.is(Reading)
		p := r.next()
		if len(p) == 0 {
			return nil
		}
		p = p[:t.next(min(len(p), bufferSize))]
		if err := t.writeSink(p); err != nil {
			return err
		}
		r.drained(len(p))
	}
}

// A ring is a buffer that one goroutine fills and another drains.
type ring struct {
	memory    []byte
	threshold int // bytes to have before draining begins

	mu       sync.Mutex
	changed  sync.Cond
	at, held int // where the first byte is, and how many there are
	draining bool
	ended    bool  // no more will come
	err      error // why
	unwanted bool  // nobody drains
	read     int64 // bytes that came in
}

func newRing(memory []byte, fill int) *ring {
	r := &ring{memory: memory, threshold: int(int64(len(memory)) * int64(fill) / 100)}
	r.changed.L = &r.mu
	return r
}

// room waits for room, and returns some of it, at most what one read takes. Nil
// means that nobody wants more.
func (r *ring) room() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.held == len(r.memory) && !r.unwanted {
		r.changed.Wait()
	}
	if r.unwanted {
		return nil
	}
	if r.held == 0 {
		r.at = 0 // so that little memory is used while little is held
	}
	from := (r.at + r.held) % len(r.memory)
	to := len(r.memory)
	if from < r.at {
		to = r.at
	}
	return r.memory[from:min(to, from+bufferSize)]
}

func (r *ring) filled(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held += n
	r.read += int64(n)
	r.changed.Signal()
}

// next waits until something may go out, and returns what does not wrap around.
// Nothing is the end.
func (r *ring) next() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.drains() && !r.ended {
		r.changed.Wait()
	}
	return r.memory[r.at:min(r.at+r.held, len(r.memory))]
}

// drains reports whether something may go out. mu is held.
func (r *ring) drains() bool {
	if r.held == 0 {
		r.draining = false
	} else if r.held >= r.threshold {
		r.draining = true
	}
	return r.draining
}

func (r *ring) drained(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = (r.at + n) % len(r.memory)
	r.held -= n
	r.changed.Signal()
}

// end is for the one that fills, and stop for the one that drains.
func (r *ring) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.err = true, err
	r.changed.Signal()
}

func (r *ring) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unwanted = true
	r.changed.Signal()
}

func (r *ring) stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unwanted
}
