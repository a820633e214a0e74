package splice

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/property"
	"zeroutils/internal/testfs"
)

func TestWhatGoesThroughABufferArrivesInOrder(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		s := newScene()
		if rapid.Bool().Draw(t, "from a file") {
			s.file(Regular, size(t, "size"), 0)
		} else {
			s.stream(Pipe, 0, rapid.SliceOfN(rapid.IntRange(1, 200<<10), 0, 30).Draw(t, "segments")...)
		}
		s.toFile(Regular, 0, 0, 0)
		s.k.budget = 1 << 30
		if oneIn(t, 2, "limited") {
			s.options.Limit = 1 + size(t, "limit")
		}
		for _, call := range []struct {
			name string
			who  party
		}{{"read", source}, {"write", theSink}} {
			if oneIn(t, 3, call.name+" is short") {
				s.fail(call.name, call.who, times(5, fault{most: rapid.IntRange(1, 5000).Draw(t, "most")})...)
			}
			if oneIn(t, 4, call.name+" fails") {
				s.fail(call.name, call.who, append(times(rapid.IntRange(0, 5).Draw(t, "after"), fault{most: 1 << 20}), fault{errno: unix.EIO})...)
			}
		}
		b := Buffer{Size: rapid.SampledFrom([]int{1, 10_000, 1 << 20, 3 << 20}).Draw(t, "buffer"), Fill: rapid.IntRange(0, 100).Draw(t, "fill")}
		if rapid.Bool().Draw(t, "with a budget") {
			b.Budget = NewBudget(rapid.Int64Range(0, 2<<20).Draw(t, "budget"))
		}
		s.options.Progress = s.count
		r, err := s.copier.CopyBuffered(s.dst[0].Descriptor, s.src.Descriptor, b, s.options)
		if wrong := s.dst[0].differs(s.src, r.Delivered); wrong != "" {
			t.Fatal(wrong)
		}
		var read *ReadError
		switch taken := s.src.consumed(); {
		case err == nil && r.Delivered != s.total():
			t.Fatalf("%d bytes of %d arrived", r.Delivered, s.total())
		case errors.As(err, &read) && r.Delivered != taken:
			t.Fatalf("%d bytes were read and %d arrived before %v", taken, r.Delivered, err)
		case s.progress != r.Delivered || r.By[ReadWrite]+r.By[Splice] != r.Delivered:
			t.Fatalf("progress is %d, the report %d", s.progress, r.Delivered)
		}
	})
}

// Two EAGAINs of a blocking source are its own time limit only in a row.
func TestABufferForgetsAnEAGAINOnceBytesHaveCome(t *testing.T) {
	for call, kind := range map[string]Kind{"splice in": Pipe, "read": Character} {
		s := newScene()
		s.stream(kind, 0, 100, 100, 100, 100)
		s.toFile(Regular, 0, 0, 0)
		again := fault{errno: unix.EAGAIN}
		s.fail(call, source, again, fault{most: 100}, again, fault{most: 100}, again)
		r, err := s.copier.CopyBuffered(s.dst[0].Descriptor, s.src.Descriptor, Buffer{Size: 1 << 20}, s.options)
		if err != nil || r.Delivered != s.total() {
			t.Errorf("%s: %d bytes of %d arrived, %v", call, r.Delivered, s.total(), err)
		}
	}
}

func TestABufferNeedsAMethodThatReadsAndWrites(t *testing.T) {
	for _, c := range []struct {
		options Options
		method  Method
	}{{Options{Method: Splice}, Splice}, {Options{Direct: true}, Direct}, {Options{NoCache: true}, Uncached}} {
		s := newScene()
		s.stream(Pipe, 0, 10)
		s.toHole(Socket, 0)
		_, err := s.copier.CopyBuffered(s.dst[0].Descriptor, s.src.Descriptor, Buffer{Size: 1 << 20}, c.options)
		var unserved *UnservedError
		if !errors.As(err, &unserved) || unserved.Method != c.method {
			t.Errorf("%+v: the error is %v", c.options, err)
		}
	}
}

type outcome struct {
	report Report
	err    error
}

// buffered relays between two pipes through a buffer, of which it returns the
// other ends, and a channel that gives what came of it. The flags are of the
// pipe that is the source.
func buffered(t *testing.T, b Buffer, flags int, o Options) (w, r *os.File, done chan outcome) {
	t.Helper()
	var in [2]int
	if err := unix.Pipe2(in[:], unix.O_CLOEXEC|flags); err != nil {
		t.Fatal(err)
	}
	inR, inW := os.NewFile(uintptr(in[0]), "in"), os.NewFile(uintptr(in[1]), "in")
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	src, dst := describeFile(t, inR), describeFile(t, outW)
	done = make(chan outcome, 1)
	go func() {
		c := New()
		defer c.Close()
		report, err := c.CopyBuffered(dst, src, b, o)
		outW.Close()
		done <- outcome{report, err}
	}()
	t.Cleanup(func() {
		for _, f := range []*os.File{inW, outR} {
			f.Close()
		}
		inR.Close()
	})
	return inW, outR, done
}

func describeFile(t *testing.T, f *os.File) *Descriptor {
	t.Helper()
	d, err := Describe(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAProducerIsNotHeldUpWhileTheBufferHasRoom(t *testing.T) {
	testfs.NeedPipeAllowance(t)
	for name, c := range map[string]struct {
		size, piece int
		flags       int
		ways        []Method
	}{
		"in pipes":                            {size: 4 << 20, piece: 1 << 20, ways: []Method{Splice}},
		"in pipes and memory":                 {size: mostInPipes + 5<<20, piece: 1 << 20, ways: []Method{Splice, ReadWrite}},
		"in pipes of which packets fill none": {size: 1 << 20, piece: 10, flags: unix.O_DIRECT, ways: []Method{Splice, ReadWrite}},
	} {
		t.Run(name, func(t *testing.T) {
			length := c.size
			if c.flags != 0 {
				length = 10 * 20_000 // each takes a page of a pipe
			}
			w, r, done := buffered(t, Buffer{Size: c.size}, c.flags, Options{})
			want := bytes.Repeat(content(0, 1<<20-1), length>>20+1)[:length]
			for part := range slices.Chunk(want, c.piece) {
				if _, err := w.Write(part); err != nil { // returns, although nobody has read
					t.Fatal(err)
				}
			}
			w.Close()
			got, err := io.ReadAll(r)
			result := <-done
			if err != nil || result.err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes, %v, %v", len(got), err, result.err)
			}
			for _, m := range []Method{Splice, ReadWrite} {
				if used := result.report.By[m] > 0; used != slices.Contains(c.ways, m) {
					t.Errorf("%d bytes by %v", result.report.By[m], m)
				}
			}
		})
	}
}

func TestABufferGoesOnInMemoryForASinkThatRefusesSplice(t *testing.T) {
	testfs.NeedPipeAllowance(t)
	name := filepath.Join(t.TempDir(), "log")
	log, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := content(0, 3<<20)
	go func() {
		w.Write(want)
		w.Close()
	}()
	before := openDescriptors(t)
	report, err := New().CopyBuffered(describeFile(t, log), describeFile(t, r), Buffer{Size: 8 << 20}, Options{})
	got, readErr := os.ReadFile(name)
	if err != nil || readErr != nil || !bytes.Equal(got, want) || report.Delivered != 3<<20 {
		t.Errorf("%d bytes, %v, %v; the report is %+v", len(got), err, readErr, report)
	}
	if len(report.Fallbacks) != 1 || report.Fallbacks[0].Err != unix.EINVAL || report.By[ReadWrite] != 3<<20 {
		t.Errorf("the report is %+v", report)
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestNothingGoesOutBeforeTheBufferIsFilled(t *testing.T) {
	activity := &Activity{}
	w, r, done := buffered(t, Buffer{Size: 1 << 20, Fill: 50}, 0, Options{Activity: activity})
	readable := func(patience time.Duration) bool {
		sys := &system{kernel: &host}
		ready, err := sys.poll(int(r.Fd()), unix.POLLIN, int(patience.Milliseconds()))
		return ready && err == nil
	}
	put := func(n int64) {
		t.Helper()
		if _, err := w.Write(content(0, n)); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 2 { // the same when it has run empty
		put(512<<10 - 1)
		if readable(50 * time.Millisecond) {
			t.Fatalf("round %d: something came below the threshold", round)
		}
		put(1)
		if !readable(time.Minute) {
			t.Fatalf("round %d: nothing came at the threshold", round)
		}
		if _, err := io.CopyN(io.Discard, r, 512<<10); err != nil {
			t.Fatal(err)
		}
		for activity.State() != Reading { // then it knows that the buffer has run empty
			time.Sleep(time.Millisecond)
		}
	}
	put(3) // the end is waited for no longer
	w.Close()
	if got, err := io.ReadAll(r); err != nil || len(got) != 3 || (<-done).err != nil {
		t.Errorf("%d bytes at the end, %v", len(got), err)
	}
}

// The reader of the buffer waits for a producer that says nothing.
func TestAFailingSinkEndsABufferedCopyWhoseSourceIsSilent(t *testing.T) {
	w, r, done := buffered(t, Buffer{Size: 1 << 20}, 0, Options{})
	r.Close()
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	select {
	case result := <-done:
		if !errors.Is(result.err, unix.EPIPE) {
			t.Errorf("the error is %v", result.err)
		}
	case <-time.After(time.Minute):
		t.Error("it hangs")
	}
}
