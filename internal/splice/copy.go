package splice

import (
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A Copier makes one copy at a time, and keeps its private pipes and its buffer for
// the next one. Use one for each goroutine, and Close it.
type Copier struct {
	// PipeSize is the capacity of private pipes in bytes, if the kernel allows; 0
	// is DefaultPipeSize. It is read when the first pipe is made.
	PipeSize int
	// BufferSize is the size in bytes of one read(2); 0 is 256 KiB.
	BufferSize int
	// Pool, if set, lends the pipe between source and sink to [Copier.Copy].
	Pool *Pool

	kernel  *kernel
	claims  claims
	pipe    *pipe // between source and sink; empty between copies
	scratch *pipe // between the former and one of several sinks
	buf     []byte

	filtered []byte // what a Transform made of buf; empty, but with capacity
}

// New returns a Copier that holds nothing yet.
func New() *Copier { return &Copier{kernel: &host} }

// Close closes the private pipes. The Copier can be used again.
func (c *Copier) Close() { c.dropPipes(&system{kernel: c.kernel}) }

func (c *Copier) dropPipes(s *system) {
	c.dropPipe(s, &c.pipe)
	c.dropPipe(s, &c.scratch)
}

func (c *Copier) dropPipe(s *system, p **pipe) {
	switch {
	case *p == nil:
	case c.Pool != nil:
		c.Pool.put(s, *p)
	default:
		(*p).close(s)
	}
	*p = nil
}

// emptyPipe returns *p, and makes it if there is none. The error is newPipe's.
func (c *Copier) emptyPipe(s *system, p **pipe) (*pipe, error) {
	if *p != nil && (*p).held > 0 { // an error left bytes that belong nowhere else
		c.dropPipe(s, p)
	}
	if *p != nil && (*p).r >= 0 {
		return *p, nil
	}
	if c.Pool != nil {
		lent := &pipe{}
		if err := c.Pool.get(s, lent); err != nil {
			return nil, err
		}
		*p = lent
		return lent, nil
	}
	size := c.PipeSize
	if size == 0 {
		size = DefaultPipeSize
	}
	made, err := newPipe(s, size)
	*p = made
	return made, err
}

// bufferSize is what one read takes, in bytes. Measured from file to pipe by
// read and write: 64 KiB 1.1 GB/s, 128 KiB to 256 KiB 1.2, 1 MiB 1.1.
const bufferSize = 256 << 10

func (c *Copier) buffer() []byte {
	if c.buf == nil {
		size := c.BufferSize
		if size == 0 {
			size = bufferSize
		}
		c.buf = make([]byte, size)
	}
	return c.buf
}

// bufferOf returns a buffer for a record of the given length. It fits any usual
// record, since another process may have read the one that was asked about.
func (c *Copier) bufferOf(length int) []byte {
	if need := max(length, bufferSize); len(c.buf) < need {
		c.buf = make([]byte, need)
	}
	return c.buf
}

// chunk is the most bytes that one copy_file_range, sendfile, mmap or write moves:
// 80 ms of a device that writes 100 MB/s.
const chunk = 8 << 20

// A transfer is one copy under way.
type transfer struct {
	system
	copier   *Copier
	dst, src *Descriptor
	options  Options
	method   Method // the one that runs
	rounds   int    // calls that delivered something
	left     int64  // bytes below the limit
	in, out  *trail // of an uncached copy
	start    time.Time
	report   Report
}

// A mechanism delivers bytes from the source's offset until the source ends or the
// limit is reached, and returns nil. It returns a *refusal if it cannot serve, or
// no longer: every byte that it took from the source is then delivered, and both
// offsets stand behind the last byte. Any other error is final.
type mechanism func(*transfer) error

func mechanismOf(m Method) mechanism {
	return [...]mechanism{
		Reflink: reflink, CopyFileRange: copyFileRange, Sendfile: sendfile,
		Splice: viaPipe, Mmap: viaMapping, Direct: direct, ReadWrite: readWrite,
		Uncached: uncached,
	}[m]
}

// Copy delivers src to dst, from the offset of each, until src ends or the
// limit is reached. The Report holds what was delivered, also beside an error,
// which is a *ReadError, a *WriteError, an *UnservedError or Progress's own.
func (c *Copier) Copy(dst, src *Descriptor, o Options) (Report, error) {
	t := c.newTransfer(dst, src, o)
	err := t.settle(dst, t.run())
	t.release(src)
	return t.finish(err)
}

func (c *Copier) newTransfer(dst, src *Descriptor, o Options) *transfer {
	t := &transfer{
		system: system{kernel: c.kernel, claims: &c.claims}, copier: c,
		dst: dst, src: src, options: o, left: math.MaxInt64, start: time.Now(),
	}
	if o.Limit > 0 {
		t.left = o.Limit
	}
	return t
}

// finish completes the report beside the error of the copy.
func (t *transfer) finish(err error) (Report, error) {
	t.options.Activity.set(Moving)
	t.report.Calls = t.calls
	t.report.Elapsed = time.Since(t.start)
	return t.report, err
}

func (t *transfer) run() error {
	if t.options.Stable && t.src.Kind == Regular && t.dst.Kind == Pipe && leasable(t.options.Method) && !t.src.inUse {
		return t.stable()
	}
	t.askFilesystems()
	plan, err := Plan(t.dst, t.src, t.options)
	if err != nil {
		return err
	}
	return t.try(plan)
}

// try runs the methods of a plan until one reaches the end.
func (t *transfer) try(plan []Method) error {
	for i := 0; ; i++ {
		t.method = plan[min(i, len(plan)-1)]
		err := mechanismOf(t.method)(t)
		no, unsuited := err.(*refusal)
		if !unsuited {
			return t.confirm(err)
		}
		next := ReadWrite
		if i+1 < len(plan) && no.errno != ErrShared {
			next = plan[i+1]
		}
		if err := t.fallBack(next, no.errno, t.dst.Kind); err != nil {
			return err
		}
		if next == ReadWrite {
			return readWrite(t)
		}
	}
}

// fallBack changes to the next method, and records why. It returns an
// [UnservedError] if the caller asked for this method alone, unless the file offset
// is shared: then only read and write serve.
func (t *transfer) fallBack(next Method, why error, dst Kind) error {
	if t.options.Method != Auto && why != ErrShared {
		return &UnservedError{Method: t.options.Method, Src: t.src.Kind, Dst: dst, Errno: why}
	}
	t.report.addFallback(Fallback{From: t.method, To: next, At: t.report.Delivered, Err: why, Count: 1})
	t.method = next
	return nil
}

// askFilesystems looks up the filesystems of two files, for the plan.
func (t *transfer) askFilesystems() {
	if t.src.Kind != Regular || t.dst.Kind != Regular {
		return
	}
	for _, d := range []*Descriptor{t.src, t.dst} {
		if d.FS == 0 {
			d.FS, _ = t.filesystem(d.FD) // 0, an unknown filesystem, gets the plain plan
		}
	}
}

// callsPerYield is the number of calls after which a copy yields to the Go scheduler.
// Otherwise the scheduler takes the processor away from a goroutine that has run for
// 10 ms, in each call that lasts 20 µs, and wakes another thread. Measured for 512
// MiB on tmpfs: 1,070 context switches and 0.27 s of CPU time without yielding, 470
// and 0.25 with it; yielding more often costs more.
const callsPerYield = 16

// delivered counts n bytes that the method delivered to the sink.
func (t *transfer) delivered(n int64) error {
	t.moved()
	t.dst.wrote(n)
	if t.rounds++; t.rounds%callsPerYield == 0 {
		runtime.Gosched()
	}
	t.left -= n
	if t.options.Limiter != nil {
		t.options.Limiter.passed(t.kernel, n)
	}
	t.report.Delivered += n
	t.report.By[t.method] += n
	t.report.Copied += n * cpuCopies(t.method, t.dst, t.src)
	if t.options.Progress != nil {
		return t.options.Progress(n)
	}
	return nil
}

// next returns the number of bytes to ask for, at most n. It waits until the limiter
// allows some.
func (t *transfer) next(n int) int {
	n = int(min(t.left, int64(n)))
	if t.options.Limiter != nil {
		t.options.Activity.set(Throttled)
		n = t.options.Limiter.admit(t.kernel, n)
		t.options.Activity.set(Moving)
	}
	return n
}

// sourceNotReady and sinkNotReady are called after EAGAIN. They return nil when the
// call is to be repeated.
func (t *transfer) sourceNotReady() error {
	switch wait, final := t.awaits(t.src.FD); {
	case wait:
		return t.waitForSource()
	case final:
		return &ReadError{unix.EAGAIN}
	}
	return nil
}

func (t *transfer) sinkNotReady() error {
	switch wait, final := t.awaits(t.dst.FD); {
	case wait:
		return t.waitForSink()
	case final:
		return &WriteError{unix.EAGAIN}
	}
	return nil
}

func (t *transfer) waitForSource() error {
	if t.options.Wait != nil {
		t.calls++
		_, err := t.options.Wait(t.src.FD, unix.POLLIN, -1)
		return err
	}
	if err := t.wait(t.src.FD, unix.POLLIN); err != nil {
		return &ReadError{err}
	}
	return nil
}

func (t *transfer) waitForSink() error {
	if t.options.Wait != nil {
		t.calls++
		_, err := t.options.Wait(t.dst.FD, unix.POLLOUT, -1)
		return err
	}
	if err := t.wait(t.dst.FD, unix.POLLOUT); err != nil {
		return &WriteError{err}
	}
	return nil
}

// awaitSource calls Options.Wait for a source whose system call would block.
func (t *transfer) awaitSource() error {
	stored := t.src.Kind == Regular || t.src.Kind == Block
	if t.options.Wait == nil || stored || t.src.Flags&unix.O_NONBLOCK != 0 {
		return nil
	}
	return t.waitForSource()
}
