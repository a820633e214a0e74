package splice_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

// Every kind of source is copied to every kind of sink by every method, with
// the kernel that is there, at sizes where things end in the middle of
// something. ZEROUTILS_LONG=1 runs every circumstance with every size;
// otherwise sizes and circumstances take turns.

var (
	page    = os.Getpagesize()
	sizes   = []int{0, 1, page - 1, page, page + 1, 65535, 65536, 65537, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5<<20 + 12345}
	methods = []splice.Method{
		splice.Auto, splice.Reflink, splice.CopyFileRange, splice.Sendfile,
		splice.Splice, splice.Mmap, splice.Direct, splice.ReadWrite,
	}
	long = os.Getenv("ZEROUTILS_LONG") != ""

	// rarer divides the number of trials. With the race detector, a trial takes
	// 20 times as long, and scripts/test.sh runs the matrix without it as well.
	rarer = 1
)

// A circumstance is what else may be different from copy to copy.
type circumstance struct {
	srcOffset, dstOffset int64
	limit                limit
	nonblock             string // which ends are: "", "source", "sink", "both"
}

type limit string

const (
	unlimited limit = "none"
	within    limit = "within" // the source holds more than the limit
	beyond    limit = "beyond" // the source ends before it
)

var circumstances = func() []circumstance {
	var all []circumstance
	for _, offsets := range [][2]int64{{0, 0}, {int64(page), 2 * int64(page)}, {12345, 777}} {
		for _, l := range []limit{unlimited, within, beyond} {
			for _, n := range []string{"", "source", "sink", "both"} {
				all = append(all, circumstance{offsets[0], offsets[1], l, n})
			}
		}
	}
	return all
}()

// turns deals sizes and circumstances out to the trials of a pair. Each method
// gets one size in share, and each trial the next circumstance, beginning at
// another place for each pair. So all pairs together have every size with every
// method, every circumstance with nearly every size and method, and every limit,
// every offset and every way of not blocking with every pair.
type turns struct {
	pair         int // its number
	share        int
	circumstance int
}

func (t *turns) next() []circumstance {
	if long {
		return circumstances
	}
	t.circumstance += 11 // has no factor in common with their number
	at := t.circumstance % len(circumstances)
	return circumstances[at : at+1]
}

// takes reports whether a method has its turn with a size, by their numbers.
// Kinds that hold only little take all of it.
func (t *turns) takes(method, size, most int) bool {
	return long || most < 1000 || (t.pair+method+size)%(t.share*rarer) == 0
}

func TestEveryKindOfSourceReachesEveryKindOfSink(t *testing.T) {
	for i, src := range sourceKinds {
		for j, dst := range sinkKinds {
			t.Run(src.name+" to "+dst.name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, t.TempDir(), src.name, dst.name)
				acrossSizes(s, src, dst, turns{pair: i + j, share: 3, circumstance: 18*i + 5*j}, func(m splice.Method, _ circumstance) bool {
					return mustServe(m, src.name, dst.name)
				})
			})
		}
	}
}

// newStage makes the block devices that the kinds need.
func newStage(t *testing.T, dir, src, dst string) *stage {
	t.Helper()
	testfs.NeedPipeAllowance(t) // small pipes are tested by internal/faults
	s := &stage{T: t, dir: dir, sinkDir: dir}
	if src == "block device" {
		s.device = testfs.Block(t, int64(len(text)))
		s.must(os.WriteFile(s.device, text, 0))
	}
	if dst == "block device" {
		s.scratch = testfs.Block(t, int64(len(text)))
	}
	return s
}

// acrossSizes makes the trials of a pair.
func acrossSizes(s *stage, src sourceKind, dst sinkKind, turn turns, mustServe func(splice.Method, circumstance) bool) {
	s.Helper()
	c := splice.New()
	defer c.Close()
	most := min(src.most, dst.most)
	for i, m := range methods {
		for j, size := range sizes {
			if size > most || !turn.takes(i, j, most) {
				continue
			}
			for _, when := range turn.next() {
				trial{s, c, src, dst, m, size, when, mustServe(m, when)}.run()
			}
		}
	}
}

// A trial is one copy.
type trial struct {
	*stage
	copier    *splice.Copier
	src       sourceKind
	dst       sinkKind
	method    splice.Method
	size      int
	when      circumstance
	mustServe bool // the method must serve
}

func (tr trial) String() string {
	return fmt.Sprintf("%s from %s to %s, %d bytes, offsets %d and %d, limit %s, nonblocking %q",
		tr.method, tr.src.name, tr.dst.name, tr.size, tr.when.srcOffset, tr.when.dstOffset, tr.when.limit, tr.when.nonblock)
}

// run makes the copy and looks at everything that a copy promises.
func (tr trial) run() {
	tr.Helper()
	defer tr.end()
	content, o := tr.contentAndOptions()
	in, holds := tr.src.open(tr.stage, content, tr.when.srcOffset)
	out, arrived := tr.dst.open(tr.stage, tr.size, tr.when.dstOffset)
	tr.setNonblocking(in, out)
	want := holds
	if o.Limit > 0 {
		want = holds[:min(o.Limit, int64(len(holds)))]
	}

	report, err := tr.copy(in, out, o)
	var unserved *splice.UnservedError
	switch {
	case errors.As(err, &unserved):
		tr.expectUnserved(unserved, report)
		// That nothing was taken and nothing was written shows in the next copy.
		o.Method = splice.ReadWrite
		if report, err = tr.copy(in, out, o); err != nil {
			tr.Fatalf("%v: read and write afterwards: %v", tr, err)
		}
	case err != nil:
		tr.Fatalf("%v: %v", tr, err)
	}
	tr.expectReport(report, o.Method, len(want))
	if got := arrived(); tr.dst.name != "/dev/null" && !bytes.Equal(got, want) {
		tr.Errorf("%v: %d bytes arrived, want %d; the first difference is at %d", tr, len(got), len(want), difference(got, want))
	}
	tr.expectRest(in, holds[len(want):], o.Limit)
	if tr.Failed() {
		tr.FailNow()
	}
}

// contentAndOptions: a source that holds more than the limit holds enough for
// another page.
func (tr *trial) contentAndOptions() ([]byte, splice.Options) {
	o := splice.Options{Method: tr.method, Preallocate: tr.when.nonblock == "both"}
	if tr.src.name == "/dev/zero" {
		tr.when.limit = within
		tr.size = max(tr.size, 1)
	}
	content := text[:tr.size]
	switch {
	case tr.when.limit == beyond:
		o.Limit = int64(tr.size) + 1000
	case tr.when.limit == within && tr.size > 0:
		o.Limit = int64(tr.size)
		content = text[:min(tr.size+5003, tr.src.most)]
	}
	return content, o
}

func (tr trial) setNonblocking(in, out int) {
	tr.Helper()
	for fd, is := range map[int]bool{in: tr.when.nonblock == "source" || tr.when.nonblock == "both", out: tr.when.nonblock == "sink" || tr.when.nonblock == "both"} {
		if is {
			tr.must(unix.SetNonblock(fd, true))
		}
	}
}

// copy copies, and checks what concerns the two descriptors.
func (tr trial) copy(in, out int, o splice.Options) (splice.Report, error) {
	tr.Helper()
	src, dst := tr.describe(in), tr.describe(out)
	start := src.Offset
	var progress int64
	o.Progress = func(n int64) error { progress += n; return nil }
	report, err := tr.copier.Copy(dst, src, o)
	if progress != report.Delivered {
		tr.Errorf("%v: progress was told of %d bytes, the report of %d", tr, progress, report.Delivered)
	}
	srcAfter, dstAfter := tr.describe(in), tr.describe(out)
	if src.Flags != srcAfter.Flags || dst.Flags != dstAfter.Flags {
		tr.Errorf("%v: flags were %#o and %#o, are %#o and %#o", tr, src.Flags, dst.Flags, srcAfter.Flags, dstAfter.Flags)
	}
	if n := srcAfter.Offset - start; src.Kind == splice.Regular && n != report.Delivered {
		tr.Errorf("%v: the source's offset moved by %d, want %d", tr, n, report.Delivered)
	}
	if src.Offset != srcAfter.Offset || dst.Offset != dstAfter.Offset {
		tr.Errorf("%v: offsets are known as %d and %d, but are %d and %d",
			tr, src.Offset, dst.Offset, srcAfter.Offset, dstAfter.Offset)
	}
	return report, err
}

func (s *stage) describe(fd int) *splice.Descriptor {
	s.Helper()
	d, err := splice.DescribeOwn(fd)
	s.must(err)
	return d
}

func (tr trial) expectUnserved(err *splice.UnservedError, r splice.Report) {
	tr.Helper()
	if tr.mustServe {
		tr.Errorf("%v: %v", tr, err)
	}
	if err.Method != tr.method || r.Delivered != 0 {
		tr.Errorf("%v: %v after %d bytes", tr, err, r.Delivered)
	}
}

func (tr trial) expectReport(r splice.Report, m splice.Method, delivered int) {
	tr.Helper()
	if r.Delivered != int64(delivered) {
		tr.Errorf("%v: the report says %d bytes, want %d", tr, r.Delivered, delivered)
	}
	var sum int64
	for _, n := range r.By {
		sum += n
	}
	if sum != r.Delivered {
		tr.Errorf("%v: bytes by method add up to %d, not to %d", tr, sum, r.Delivered)
	}
	if by := r.By[m]; m != splice.Auto && by+tr.mayBeRead(m) < r.Delivered {
		tr.Errorf("%v: only %d of %d bytes went that way", tr, by, r.Delivered)
	}
	if r.Calls == 0 || r.Elapsed <= 0 {
		tr.Errorf("%v: %d calls, %v", tr, r.Calls, r.Elapsed)
	}
}

// mayBeRead is how many bytes a forced method may leave to read and write: all
// of a file whose size is not to be believed, and those around the aligned
// blocks that O_DIRECT moves.
func (tr trial) mayBeRead(m splice.Method) int64 {
	unaligned := (tr.when.srcOffset|tr.when.dstOffset)%4096 != 0
	switch {
	case tr.src.name == "procfs file", tr.src.name == "sysfs file", m == splice.Direct && unaligned:
		return int64(len(text))
	case m == splice.Direct && tr.src.name == "block device":
		return int64(len(text)) // starts where the rest of it is as long as is asked for
	case m == splice.Direct:
		return 4095
	}
	return 0
}

// expectRest reads on where the copy has ended.
func (tr trial) expectRest(in int, want []byte, limit int64) {
	tr.Helper()
	switch {
	case tr.src.name == "/dev/zero":
		return
	case tr.src.name == "terminal" && len(want) == 0:
		return // its end has been read: who asks again waits for another
	}
	if got := tr.rest(in); !bytes.Equal(got, want) {
		tr.Errorf("%v: %d bytes are left in the source, want %d (limit %d)", tr, len(got), len(want), limit)
	}
}

// mustServe is what all kernels since Linux 5.3 can do. What only some can is
// not asked for, but checked where it is done.
func mustServe(m splice.Method, src, dst string) bool {
	plain := func(kind string) bool {
		switch kind {
		case "regular file", "block device", "pipe", "FIFO", "unix socket", "TCP socket":
			return true
		}
		return false
	}
	switch m {
	case splice.Auto, splice.ReadWrite:
		return true
	case splice.CopyFileRange:
		return src == "regular file" && dst == "regular file"
	case splice.Sendfile:
		return (src == "regular file" || src == "block device") && (plain(dst) || dst == "/dev/null")
	case splice.Splice:
		return plain(src) && (plain(dst) || dst == "/dev/null")
	case splice.Mmap:
		return src == "regular file"
	}
	return false
}

// refused reports whether a method has refused to copy, which it may only where
// the test says so, and only before it has copied anything.
func refused(t *testing.T, done outcome, may bool) bool {
	t.Helper()
	unserved, ok := done.err.(*splice.UnservedError)
	if ok && (!may || done.report.Delivered != 0) {
		t.Errorf("%v, after %d bytes", unserved, done.report.Delivered)
	}
	return ok
}

// difference is the first index at which a and b differ.
func difference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
