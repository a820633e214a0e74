package splice

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/property"
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
		case s.progress != r.Delivered || r.By[ReadWrite] != r.Delivered:
			t.Fatalf("progress is %d, the report %d", s.progress, r.Delivered)
		}
	})
}

func TestABufferNeedsAMethodThatReadsAndWrites(t *testing.T) {
	s := newScene()
	s.stream(Pipe, 0, 10)
	s.toHole(Socket, 0)
	s.options.Method = Splice
	_, err := s.copier.CopyBuffered(s.dst[0].Descriptor, s.src.Descriptor, Buffer{Size: 1 << 20}, s.options)
	var unserved *UnservedError
	if !errors.As(err, &unserved) {
		t.Errorf("the error is %v", err)
	}
}

// buffered relays between two pipes through a buffer, of which it returns the
// other ends, and a channel that gives the error.
func buffered(t *testing.T, b Buffer) (w, r *os.File, done chan error) {
	t.Helper()
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	src, dst := describeFile(t, inR), describeFile(t, outW)
	done = make(chan error, 1)
	go func() {
		c := New()
		defer c.Close()
		_, err := c.CopyBuffered(dst, src, b, Options{})
		outW.Close()
		done <- err
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
	const size = 4 << 20
	w, r, done := buffered(t, Buffer{Size: size})
	want := content(0, size)
	if _, err := w.Write(want); err != nil { // returns, although nobody has read
		t.Fatal(err)
	}
	w.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) || <-done != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestNothingGoesOutBeforeTheBufferIsFilled(t *testing.T) {
	w, r, done := buffered(t, Buffer{Size: 1 << 20, Fill: 50})
	readable := func(patience time.Duration) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		return n > 0 && err == nil
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
		if !readable(10 * time.Second) {
			t.Fatalf("round %d: nothing came at the threshold", round)
		}
		if _, err := io.CopyN(io.Discard, r, 512<<10); err != nil {
			t.Fatal(err)
		}
	}
	put(3) // the end is waited for no longer
	w.Close()
	if got, err := io.ReadAll(r); err != nil || len(got) != 3 || <-done != nil {
		t.Errorf("%d bytes at the end, %v", len(got), err)
	}
}

// The reader of the buffer waits for a producer that says nothing.
func TestAFailingSinkEndsABufferedCopyWhoseSourceIsSilent(t *testing.T) {
	w, r, done := buffered(t, Buffer{Size: 1 << 20})
	r.Close()
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, unix.EPIPE) {
			t.Errorf("the error is %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it hangs")
	}
}
