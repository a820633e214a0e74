package splice

import (
	"sync"

	"golang.org/x/sys/unix"
)

// A Buffer is the buffer of [Copier.CopyBuffered], for a source that comes in bursts
// and a sink that is slow.
type Buffer struct {
	Size int // bytes
	// Fill is the part of the buffer, in percent, that is filled before bytes are
	// delivered, at the start and each time it has run empty.
	Fill int
	// Budget, if set, limits the memory of several buffers together. A buffer that
	// gets no more of it is full.
	Budget *Budget
}

// A Budget limits the memory of several buffers. Each may have 64 KiB besides.
type Budget struct {
	mu   sync.Mutex
	left int64
}

// NewBudget returns a budget of the given number of bytes.
func NewBudget(bytes int64) *Budget { return &Budget{left: bytes} }

// take reports whether there were n bytes left, and takes them.
func (b *Budget) take(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < int64(n) {
		return false
	}
	b.left -= int64(n)
	return true
}

func (b *Budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += int64(n)
}

// CopyBuffered is [Copier.Copy] through a buffer: one goroutine reads the source while
// the buffer has room, another one writes to the sink. If the source fails, the bytes
// in the buffer are delivered before the error is returned; if the sink fails, they are
// lost.
//
// The bytes are spliced into pipes and out of them. Above 32 MiB, or where the kernel
// refuses, they are in memory. Method may be Auto or ReadWrite, which uses memory only;
// Direct and
// NoCache are an UnservedError, too. The error may also be ENOMEM.
func (c *Copier) CopyBuffered(dst, src *Descriptor, b Buffer, o Options) (Report, error) {
	t := c.newTransfer(dst, src, o)
	t.method = ReadWrite
	if m := needed(o); m != Auto && m != ReadWrite {
		return t.finish(&UnservedError{Method: m, Src: src.Kind, Dst: dst.Kind})
	}
	s, err := newStore(b)
	if err != nil {
		return t.finish(err)
	}
	in := c.newTransfer(dst, src, o)
	in.method = ReadWrite
	in.options.Limiter, in.options.Activity = nil, nil // they are the deliverer's
	if o.Method == Auto && (src.Kind == Pipe || src.Kind == Socket && !src.Records) && c.Pool == nil {
		in.method, s.inPipes = Splice, true
	}
	var taker sync.WaitGroup
	taker.Go(func() { s.end(in.takeInto(s)) })
	err = t.deliverFrom(s)
	s.stop()
	taker.Wait()
	s.close(&t.system)
	if err == nil {
		err = s.err
	}
	err = t.settle(dst, err)
	t.calls += in.calls
	for _, f := range in.report.Fallbacks {
		t.report.addFallback(f)
	}
	return t.finish(err)
}

// needed returns the method that the options ask for.
func needed(o Options) Method {
	switch {
	case o.Direct:
		return Direct
	case o.NoCache:
		return Uncached
	}
	return o.Method
}

// takeInto reads the source into the store, until the source ends or delivery stops.
func (t *transfer) takeInto(s *store) error {
	for t.left > 0 {
		if t.src.Records {
			if ended, err := t.takeRecord(s); ended || err != nil {
				return err
			}
			continue
		}
		b, most := s.room(&t.system, t.copier.PipeSize)
		if b == nil {
			return nil
		}
		if goOn, err := t.awaitSourceBeside(s); err != nil || !goOn {
			return err
		}
		n, err := t.takeBlock(s, b, int(min(t.left, int64(most))))
		if err != nil {
			return err
		}
		if n < 0 {
			continue
		}
		if n == 0 && t.method.decides() {
			return nil
		}
		if n == 0 { // the end if read agrees
			t.method = ReadWrite
			s.leavePipes()
			continue
		}
		t.moved()
		t.left -= int64(n)
		s.add(b, n)
		if b.pipe != nil && n < most && t.src.Kind == Pipe {
			t.yield() // as yieldToProducer does
		}
	}
	return nil
}

// takeRecord takes one record of a socket, for which the store may have room in
// pieces only.
func (t *transfer) takeRecord(s *store) (ended bool, err error) {
	if goOn, err := t.awaitSourceBeside(s); err != nil || !goOn {
		return true, err
	}
	record, err := t.nextRecord()
	if err != nil || len(record) == 0 {
		return true, err
	}
	t.moved()
	t.left -= int64(len(record))
	for len(record) > 0 {
		b, most := s.room(&t.system, t.copier.PipeSize)
		if b == nil {
			return true, nil
		}
		n := copy(b.memory[b.end:b.end+most], record)
		record = record[n:]
		s.add(b, n)
	}
	return false, nil
}

// takeBlock takes up to most bytes into a block. It returns 0 at what may be the
// end of the source, and -1 if another block is to be tried.
func (t *transfer) takeBlock(s *store, b *block, most int) (int, error) {
	if b.pipe == nil {
		return t.readSource(b.memory[b.end : b.end+min(most, bufferSize)])
	}
	n, err := t.spliceIn(t.src, b.pipe.w, most, unix.SPLICE_F_NONBLOCK)
	switch {
	case err == nil:
		return n, nil
	case err == unix.EAGAIN && !s.seal(b): // the source's: the pipe is empty
		return -1, t.waitForSource()
	case err == unix.EAGAIN:
		return -1, nil
	case spliceInRefused(err):
		if err := t.fallBack(ReadWrite, err, t.dst.Kind); err != nil {
			return 0, err
		}
		s.leavePipes()
		return -1, nil
	}
	return 0, &ReadError{err}
}

// stopPoll is how often, in milliseconds, who waits for the source looks
// whether the sink has failed.
const stopPoll = 100

// awaitSourceBeside returns true when the source can be taken from, and false
// when that is of no use any more.
func (t *transfer) awaitSourceBeside(s *store) (bool, error) {
	if t.src.Kind == Regular || t.src.Kind == Block { // never wait
		return true, nil
	}
	for !s.stopped() {
		if t.options.Wait != nil {
			t.calls++
			if ready, err := t.options.Wait(t.src.FD, unix.POLLIN, stopPoll); err != nil || ready {
				return ready, err
			}
		} else if ready, err := t.poll(t.src.FD, unix.POLLIN, stopPoll); err != nil || ready {
			return true, nil // an error is the next call's to tell
		}
	}
	return false, nil
}

// deliverFrom delivers what is in the store, until that is empty and has ended.
func (t *transfer) deliverFrom(s *store) error {
	for {
		t.options.Activity.set(Reading)
		b, held := s.next()
		if b == nil {
			return nil
		}
		if b.pipe == nil {
			held = min(held, bufferSize)
		}
		n := t.next(held)
		if err := t.deliverBlock(s, b, n); err != nil {
			return err
		}
		s.remove(b, n)
	}
}

// deliverBlock delivers n bytes of what a block holds.
func (t *transfer) deliverBlock(s *store, b *block, n int) error {
	if b.pipe == nil {
		return t.writeSink(b.memory[b.start : b.start+n])
	}
	t.method = Splice
	defer func() { t.method = ReadWrite }()
	part := pipe{r: b.pipe.r, w: b.pipe.w, held: n} // more may come in meanwhile
	if t.dst.inUse {
		return t.spill(&part)
	}
	err := t.drain(&part)
	if err == nil && t.dst.inUse {
		err = &refusal{ErrShared}
	}
	if no, refused := err.(*refusal); refused { // it has delivered by write
		s.leavePipes()
		return t.fallBack(ReadWrite, no.errno, t.dst.Kind)
	}
	return err
}
