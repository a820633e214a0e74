package splice

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// twice is a Transform that writes every byte two times.
func twice(out, in []byte) (filled, rest []byte) {
	for len(in) > 0 && cap(out)-len(out) >= 2 {
		out = append(out, in[0], in[0])
		in = in[1:]
	}
	return out, in
}

func TestFilterDeliversWhatTheTransformMakesOfTheSource(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		s := newScene()
		s.options.Method = ReadWrite
		drawSource(t, s, anySource)
		drawSink(t, s, []Kind{Other, Terminal, Character, Socket})
		drawFaults(t, s)
		r, err := s.copier.Filter(s.dst[0].Descriptor, s.src.Descriptor, twice)
		got := s.dst[0].o.object.(*fakeHole).got
		want, _ := twice(make([]byte, 0, r.Delivered+1), content(s.src.start, r.Delivered/2+1))
		if !bytes.HasPrefix(want, got) || int64(len(got)) != r.Delivered || r.By[ReadWrite] != r.Delivered {
			t.Errorf("delivered %d (%v), the sink has %d: %s", r.Delivered, err, len(got), difference(got, want))
		}
		if err == nil && s.src.length >= 0 && r.Delivered != 2*s.src.length {
			t.Errorf("delivered %d bytes of twice %d", r.Delivered, s.src.length)
		}
		if wrong := s.untruthful(err); wrong != "" {
			t.Error(wrong)
		}
		s.checkKernel(t)
	})
}

func TestFilterWritesMoreThanItsRoom(t *testing.T) {
	s := newScene()
	s.file(Regular, 3*filterRoom+1, 0)
	hole := s.toHole(Terminal, 0)
	r, err := s.copier.Filter(s.dst[0].Descriptor, s.src.Descriptor, twice)
	want, _ := twice(make([]byte, 0, 7*filterRoom), content(0, 3*filterRoom+1))
	if wrong := difference(hole.got, want); wrong != "" || err != nil || r.Delivered != 6*filterRoom+2 {
		t.Errorf("%v, delivered %d: %s", err, r.Delivered, wrong)
	}
}

func TestFilterPassesOnAtOnceWhatHasArrived(t *testing.T) {
	s := newScene()
	st := s.stream(Pipe, 0, 10, 20, 30)
	st.burst = 1
	hole := s.toHole(Terminal, 0)
	s.copier.kernel.read = func(fd int, p []byte) (int, error) {
		if int64(len(hole.got)) != 2*st.consumed {
			t.Errorf("asked for more when the sink had %d bytes of twice %d", len(hole.got), st.consumed)
		}
		return s.k.read(fd, p)
	}
	if _, err := s.copier.Filter(s.dst[0].Descriptor, s.src.Descriptor, twice); err != nil {
		t.Error(err)
	}
}

func TestFilterKeepsTheOffsetsTrue(t *testing.T) {
	s := newScene()
	s.file(Regular, 1000, 0)
	s.toFile(Regular, unix.O_APPEND, 50, 0)
	_, err := s.copier.Filter(s.dst[0].Descriptor, s.src.Descriptor, twice)
	if wrong := s.dst[0].misknown(); wrong != "" || err != nil || s.src.Offset != 1000 {
		t.Errorf("%v, source at %d, the sink's %s", err, s.src.Offset, wrong)
	}
}

func TestPutDeliversAllOrAnExactPrefix(t *testing.T) {
	for _, full := range []int64{-1, 0, 7} {
		s := newScene()
		hole := s.toHole(Terminal, unix.O_NONBLOCK)
		hole.rooms = []int{0, 3, 1}
		if full >= 0 {
			hole.full, hole.err = full, unix.EIO
		}
		p := []byte("what was left")
		r, err := s.copier.Put(s.dst[0].Descriptor, p)
		want := p
		if full >= 0 {
			want = p[:full]
		}
		if wrong := difference(hole.got, want); wrong != "" || r.Delivered != int64(len(want)) || (err == nil) != (full < 0) {
			t.Errorf("full at %d: %v, delivered %d: %s", full, err, r.Delivered, wrong)
		}
		s.checkKernel(t)
	}
}
