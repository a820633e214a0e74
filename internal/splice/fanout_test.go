package splice_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

// A fan is several sinks on stages of their own.
type fan struct {
	*stage
	kinds   []string
	stages  []*stage
	sinks   []*splice.Sink
	arrived []func() []byte
}

// newFan opens a sink of each kind named.
func newFan(t *testing.T, size int, offset int64, kinds ...string) *fan {
	t.Helper()
	f := newStages(t, "", kinds)
	f.openSinks(size, offset)
	return f
}

// newStages is a fan whose sinks are not open yet.
func newStages(t *testing.T, source string, kinds []string) *fan {
	t.Helper()
	f := &fan{stage: newStage(t, t.TempDir(), source, ""), kinds: kinds}
	for _, kind := range kinds {
		f.stages = append(f.stages, newStage(t, t.TempDir(), "", kind))
	}
	return f
}

// openSinks opens all sinks, until the end of the fan's stage.
func (f *fan) openSinks(size int, offset int64) {
	f.Helper()
	f.sinks, f.arrived = nil, nil
	for i, kind := range f.kinds {
		fd, arrived := sinkNamed(kind).open(f.stages[i], size, offset)
		f.sinks = append(f.sinks, &splice.Sink{Descriptor: f.describe(fd)})
		f.arrived = append(f.arrived, arrived)
		f.enders = append(f.enders, f.stages[i].end)
	}
}

// tee runs a fan-out, and adds up what it reports.
func (f *fan) tee(src int, o splice.TeeOptions) (splice.Report, error) {
	f.Helper()
	var progress int64
	o.Progress = func(n int64) error { progress += n; return nil }
	c := splice.New()
	defer c.Close()
	r, err := c.Tee(f.sinks, f.describe(src), o)
	var all, by int64
	for _, s := range f.sinks {
		all += s.Delivered()
	}
	for _, n := range r.By {
		by += n
	}
	if progress != r.Delivered || by != all {
		f.Errorf("progress %d of %d delivered; %d bytes by method, %d at the sinks", progress, r.Delivered, by, all)
	}
	return r, err
}

func TestEverySinkGetsEverything(t *testing.T) {
	fans := [][]string{
		{"pipe", "regular file"},
		{"regular file", "regular file", "pipe", "pipe"},
		{"pipe"},
		{"regular file"},
		{"append file", "pipe", "regular file"},
		{"append file", "append file"},
		{"/dev/null", "pipe"},
		{"pipe", "/dev/null", "append file", "block device"},
		{"unix socket", "TCP socket", "FIFO"},
		{"TCP socket", "regular file"},
		{"terminal", "pipe", "regular file"},
	}
	sources := []string{"pipe", "regular file", "TCP socket", "unix socket", "FIFO", "block device", "procfs file", "terminal"}
	for i, kinds := range fans {
		for j, source := range sources {
			t.Run(source+" to "+strings.Join(kinds, ", "), func(t *testing.T) {
				t.Parallel()
				f := newStages(t, source, kinds)
				turn := turns{pair: i + j, share: 3, circumstance: 11*i + 3*j}
				most := sourceNamed(source).most
				for k, size := range sizes {
					if size > most || !turn.takes(0, k, most) || size > 65537 && slices.Contains(kinds, "terminal") {
						continue
					}
					for _, when := range turn.next() {
						for _, m := range []splice.Method{splice.Auto, splice.Splice, splice.ReadWrite} {
							f.trial(source, m, size, when)
						}
					}
				}
			})
		}
	}
}

// trial makes one fan-out and looks at all that it promises.
func (f *fan) trial(source string, m splice.Method, size int, when circumstance) {
	f.Helper()
	defer f.end()
	f.openSinks(size, when.dstOffset)
	tr := trial{stage: f.stage, src: sourceNamed(source), method: m, size: size, when: when}
	content, o := tr.contentAndOptions()
	src, want := tr.src.open(f.stage, content, when.srcOffset)
	holds := want
	if o.Limit > 0 {
		want = holds[:min(o.Limit, int64(len(holds)))]
	}
	tr.setNonblocking(src, f.sinks[0].FD)
	what := fmt.Sprintf("%v, %d bytes, %+v", m, size, when)

	asked := splice.TeeOptions{Method: o.Method, Limit: o.Limit}
	r, err := f.tee(src, asked)
	var unserved *splice.UnservedError
	if errors.As(err, &unserved) && m == splice.Splice {
		asked.Method = splice.ReadWrite
		r, err = f.tee(src, asked)
	}
	if err != nil || r.Delivered != int64(len(want)) {
		f.Fatalf("%s: %v, delivered %d, want %d", what, err, r.Delivered, len(want))
	}
	for i, s := range f.sinks {
		if got := f.arrived[i](); s.Kind != splice.Character && !bytes.Equal(got, want) {
			f.Fatalf("%s: sink %d, %s: %d bytes, want %d; the first difference is at %d",
				what, i, f.kinds[i], len(got), len(want), difference(got, want))
		}
		if s.Err != nil || s.Delivered() != int64(len(want)) {
			f.Errorf("%s: sink %d: %v, %d bytes", what, i, s.Err, s.Delivered())
		}
	}
	tr.expectRest(src, holds[len(want):], o.Limit)
}

// The sinks that are left are then all of a kind that is written to.
func TestAppendingSetBySomebodyElseMidwayLosesNoSinksBytes(t *testing.T) {
	f := newFan(t, len(text), 0, "regular file", "append file")
	defer f.end()
	src, _ := sourceNamed("pipe").open(f.stage, text, 0)
	c := splice.New()
	defer c.Close()
	r, err := c.Tee(f.sinks, f.describe(src), splice.TeeOptions{Progress: func(int64) error {
		f.setAppend(f.sinks[0].FD)
		return nil
	}})
	if err != nil || r.Delivered != int64(len(text)) || len(r.Fallbacks) != 1 || r.Fallbacks[0].Count != 1 {
		t.Errorf("%v, %+v", err, r)
	}
	for i := range f.sinks {
		if !bytes.Equal(f.arrived[i](), text) {
			t.Errorf("sink %d has something else", i)
		}
	}
}

// The pages of a pipe are referred to by every sink that is a pipe, and copied
// once for each file.
func TestTeeCopiesNoByteThatOnlyChangesPipes(t *testing.T) {
	const size = 1 << 20
	f := newFan(t, size, 0, "pipe", "regular file", "pipe")
	defer f.end()
	src, _ := sourceNamed("pipe").open(f.stage, text[:size], 0)
	r, err := f.tee(src, splice.TeeOptions{})
	f.must(err)
	if r.By[splice.ReadWrite] != 0 || r.By[splice.TeePipe] != size || r.By[splice.Splice] != 2*size || r.Copied != size {
		t.Errorf("%+v", r)
	}
}

func TestASinkWhoseReaderGoesAwayLeavesTheOthersComplete(t *testing.T) {
	for _, kinds := range [][]string{
		{"pipe", "regular file"}, {"pipe", "pipe"}, {"pipe", "append file"}, {"unix socket", "pipe"}, {"unix socket", "regular file", "pipe"},
	} {
		for at := range kinds {
			if kinds[at] == "regular file" || kinds[at] == "append file" {
				continue
			}
			for _, m := range []splice.Method{splice.Auto, splice.ReadWrite} {
				t.Run(fmt.Sprint(kinds, at, m), func(t *testing.T) {
					f := newFan(t, len(text), 0, kinds...)
					defer f.end()
					fd := f.leavingReader(kinds[at], 100_000)
					f.sinks[at] = &splice.Sink{Descriptor: f.describe(fd)}
					src, _ := sourceNamed("pipe").open(f.stage, text, 0)
					var told []*splice.Sink
					r, err := f.tee(src, splice.TeeOptions{Method: m, SinkFailed: func(s *splice.Sink) error {
						told = append(told, s)
						return nil
					}})
					if err != nil || r.Delivered != int64(len(text)) {
						t.Errorf("%v, %+v", err, r)
					}
					f.expectOnlyFailure(at, unix.EPIPE, told)
				})
			}
		}
	}
}

// leavingReader is a sink whose reader reads n bytes and closes.
func (s *stage) leavingReader(kind string, n int) int {
	s.Helper()
	r, w := 0, 0
	if kind == "pipe" {
		r, w = s.pipe()
	} else {
		r, w = s.unixSockets()
		s.must(unix.SetsockoptInt(w, unix.SOL_SOCKET, unix.SO_SNDBUF, 100_000)) // whatever this machine's default is
	}
	go func() {
		buf := make([]byte, 10_000)
		for n > 0 {
			got, err := unix.Read(r, buf[:min(n, len(buf))])
			if err != nil || got == 0 {
				break
			}
			n -= got
		}
		unix.Close(r)
	}()
	return s.owns(w, nil)
}

// expectOnlyFailure: one sink has failed, the others have all of text.
func (f *fan) expectOnlyFailure(at int, want error, told []*splice.Sink) {
	f.Helper()
	for i, s := range f.sinks {
		var failed *splice.WriteError
		switch {
		case i == at && errors.Is(s.Err, unix.ECONNRESET) && s.Kind == splice.Socket: // it left bytes unread
		case i == at && (!errors.As(s.Err, &failed) || failed.Err != want):
			f.Errorf("sink %d: %v, want %v", i, s.Err, want)
		case i != at && s.Err != nil:
			f.Errorf("sink %d: %v", i, s.Err)
		case i != at && !bytes.Equal(f.arrived[i](), text):
			f.Errorf("sink %d has something else", i)
		}
	}
	if len(told) != 1 || told[0] != f.sinks[at] {
		f.Errorf("told of %d failures", len(told))
	}
}

func TestAFullSinkLeavesTheOthersComplete(t *testing.T) {
	small := testfs.MountSized(t, "tmpfs", 1<<20)
	for _, full := range []string{"/dev/full", small} {
		for _, others := range [][]string{{"pipe"}, {"regular file"}, {"pipe", "regular file", "append file"}} {
			for at := range len(others) + 1 {
				t.Run(fmt.Sprint(full, " at ", at, " of ", others), func(t *testing.T) {
					f := newFan(t, len(text), 0, slices.Insert(slices.Clone(others), at, "/dev/null")...)
					defer f.end()
					f.sinkDir = small
					fd := 0
					if full == small {
						fd = f.emptyFile("sink")
					} else {
						fd = f.open(full, unix.O_WRONLY)
					}
					f.sinks[at] = &splice.Sink{Descriptor: f.describe(fd)}
					src, _ := sourceNamed("pipe").open(f.stage, text, 0)
					var told []*splice.Sink
					r, err := f.tee(src, splice.TeeOptions{SinkFailed: func(s *splice.Sink) error { told = append(told, s); return nil }})
					if err != nil || r.Delivered != int64(len(text)) {
						t.Errorf("%v, %+v", err, r)
					}
					f.expectOnlyFailure(at, unix.ENOSPC, told)
					if full == small {
						if n := f.sinks[at].Delivered(); n < 512<<10 || !bytes.Equal(f.content(fd), text[:n]) {
							t.Errorf("the full sink has something else than the %d bytes delivered", n)
						}
					}
				})
			}
		}
	}
}

// When nobody is left to write to, an endless source is not read on.
func TestTeeEndsWithItsLastSink(t *testing.T) {
	for _, m := range []splice.Method{splice.Auto, splice.ReadWrite} {
		s := newStage(t, t.TempDir(), "", "")
		defer s.end()
		c := splice.New()
		defer c.Close()
		sinks := []*splice.Sink{
			{Descriptor: s.describe(s.leavingReader("pipe", 100_000))},
			{Descriptor: s.describe(s.open("/dev/full", unix.O_WRONLY))},
			{Descriptor: s.describe(s.leavingReader("unix socket", 50_000))},
		}
		r, err := c.Tee(sinks, s.describe(s.open("/dev/zero", unix.O_RDONLY)), splice.TeeOptions{Method: m})
		if err != nil {
			t.Errorf("%v: %v, %+v", m, err, r)
		}
	}
}

// A socket says in another way than a pipe that its peer has gone.
func TestAWatchedTeeEndsWithItsReadersWhileItsSourceIsSilent(t *testing.T) {
	for _, kind := range []string{"pipe", "unix socket"} {
		for _, m := range []splice.Method{splice.Auto, splice.ReadWrite} {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			silent, _ := s.ownedPipe()
			sink := &splice.Sink{Descriptor: s.describe(s.leavingReader(kind, 0))}
			c := splice.New()
			defer c.Close()
			ended := make(chan error, 1)
			go func() {
				_, err := c.Tee([]*splice.Sink{sink}, s.describe(silent), splice.TeeOptions{Method: m, WatchSinks: true})
				ended <- err
			}()
			select {
			case err := <-ended:
				if err != nil || !errors.Is(sink.Err, unix.EPIPE) {
					t.Errorf("%s, %v: %v, %v", kind, m, err, sink.Err)
				}
			case <-time.After(patience):
				t.Fatalf("%s, %v: still waiting", kind, m)
			}
		}
	}
}

func TestTeeEndsWhenSinkFailedSaysSo(t *testing.T) {
	f := newFan(t, len(text), 0, "pipe", "/dev/null")
	defer f.end()
	f.sinks[1] = &splice.Sink{Descriptor: f.describe(f.open("/dev/full", unix.O_WRONLY))}
	src, _ := sourceNamed("pipe").open(f.stage, text, 0)
	enough := errors.New("enough")
	if _, err := f.tee(src, splice.TeeOptions{SinkFailed: func(*splice.Sink) error { return enough }}); err != enough {
		t.Errorf("%v, want what SinkFailed returned", err)
	}
}

// A second fan-out goes on where the first has ended, without the sinks that
// have failed.
func TestTeeGoesOnFromAnEarlierTee(t *testing.T) {
	f := newFan(t, len(text), 0, "regular file", "pipe", "append file", "/dev/null")
	defer f.end()
	f.sinks[3] = &splice.Sink{Descriptor: f.describe(f.open("/dev/full", unix.O_WRONLY))}
	src := f.describe(f.textFile("source", 300_000))
	c := splice.New()
	defer c.Close()
	failures := 0
	for range 3 {
		r, err := c.Tee(f.sinks, src, splice.TeeOptions{Limit: 100_000, SinkFailed: func(*splice.Sink) error { failures++; return nil }})
		if err != nil || r.Delivered != 100_000 {
			t.Errorf("%v, %+v", err, r)
		}
	}
	if failures != 1 {
		t.Errorf("told of %d failures", failures)
	}
	for i, s := range f.sinks[:3] {
		if now := f.describe(s.FD); s.Offset != now.Offset {
			t.Errorf("sink %d: the offset is known as %d, but is %d", i, s.Offset, now.Offset)
		}
		if !bytes.Equal(f.arrived[i](), text[:300_000]) {
			t.Errorf("sink %d has something else", i)
		}
	}
}

// Sinks that take little at a time set the pace, and lose nothing.
func TestTeeToNarrowAndNonblockingPipes(t *testing.T) {
	for _, nonblocking := range []bool{false, true} {
		f := newFan(t, 1<<20, 0, "pipe", "pipe", "regular file", "pipe")
		defer f.end()
		for i, s := range f.sinks {
			if s.Kind == splice.Pipe && i > 0 {
				_, err := unix.FcntlInt(uintptr(s.FD), unix.F_SETPIPE_SZ, 4096*i)
				f.must(err)
				f.must(unix.SetNonblock(s.FD, nonblocking))
			}
		}
		src, _ := sourceNamed("TCP socket").open(f.stage, text[:1<<20], 0)
		r, err := f.tee(src, splice.TeeOptions{})
		if err != nil || r.Delivered != 1<<20 || r.By[splice.ReadWrite] != 0 {
			t.Errorf("%v, %+v", err, r)
		}
		for i := range f.sinks {
			if !bytes.Equal(f.arrived[i](), text[:1<<20]) {
				t.Errorf("sink %d has something else", i)
			}
		}
	}
}

// A pipe's capacity is slots, not bytes: what comes in small pieces fills the
// first private pipe with as many as the second one has.
func TestTeeOfManySmallPieces(t *testing.T) {
	f := newFan(t, 100_000, 0, "regular file", "unix socket", "pipe", "regular file")
	defer f.end()
	r, w := f.unixSockets()
	f.owns(r, nil)
	go func() {
		for i := range 10_000 {
			unix.Write(w, text[10*i:10*i+10])
		}
		unix.Close(w)
	}()
	report, err := f.tee(r, splice.TeeOptions{})
	if err != nil || report.By[splice.ReadWrite] != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	for i, s := range f.sinks {
		if !bytes.Equal(f.arrived[i](), text[:100_000]) {
			t.Errorf("sink %d has something else, %v", i, s.Err)
		}
	}
}

func TestTeeByAMethodForPairsIsRefused(t *testing.T) {
	for _, m := range []splice.Method{splice.Reflink, splice.CopyFileRange, splice.Sendfile, splice.Mmap, splice.Direct} {
		f := newFan(t, 1000, 0, "regular file")
		defer f.end()
		_, err := f.tee(f.textFile("source", 1000), splice.TeeOptions{Method: m})
		var unserved *splice.UnservedError
		if !errors.As(err, &unserved) || unserved.Method != m {
			t.Errorf("%v: %v", m, err)
		}
	}
}
