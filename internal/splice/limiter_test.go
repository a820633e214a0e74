package splice

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// A delivery is bytes that arrived, and when.
type delivery struct {
	at time.Duration
	n  int64
}

// limited copies a file through a limiter on the fake kernel's clock, and
// returns what arrived when.
func limited(t rapid.TB, s *scene, perSecond float64) (ds []delivery) {
	begin := s.k.clock
	s.options.Limiter = NewLimiter(perSecond)
	s.options.Progress = func(n int64) error {
		ds = append(ds, delivery{s.k.now().Sub(begin), n})
		return nil
	}
	r, err := s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, s.options)
	if err != nil || r.Delivered != s.src.length {
		t.Fatalf("%d of %d bytes: %v", r.Delivered, s.src.length, err)
	}
	return ds
}

func TestALimitIsKeptToWithinOnePercent(t *testing.T) {
	for _, method := range []Method{Splice, Sendfile, ReadWrite, Mmap} {
		for _, perSecond := range []float64{70, 1 << 20, 2 << 20} {
			s := newScene()
			size := min(int64(10*perSecond), 20<<20)
			s.file(Regular, size, 0)
			s.toFile(Regular, 0, 0, 0)
			s.options.Method = method
			s.k.budget = 1 << 30
			ds := limited(t, s, perSecond)
			want := float64(size) / perSecond
			if got := ds[len(ds)-1].at.Seconds(); math.Abs(got-want) > want/100 {
				t.Errorf("%v: %d bytes at %g a second took %g s, want %g", method, size, perSecond, got, want)
			}
		}
	}
}

// Whatever stretch of time one looks at, no more has arrived in it than belongs
// there, and a quarter of a second more.
func TestALimitedCopyNeverBursts(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		s := newScene()
		s.stream(Pipe, 0, rapid.SliceOfN(rapid.IntRange(1, 64<<10), 1, 50).Draw(t, "segments")...)
		s.toHole(Socket, 0)
		s.k.budget = 1 << 30
		perSecond := rapid.Float64Range(1<<10, 1<<22).Draw(t, "per second")
		waits := rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 10).Draw(t, "the source lets wait for, in ms")
		read := s.copier.kernel.splice
		s.copier.kernel.splice = func(in, out place, n, flags int) (int, error) {
			if in.fd == s.src.FD && len(waits) > 0 {
				s.k.clock = s.k.clock.Add(time.Duration(waits[0]) * time.Millisecond)
				waits = waits[1:]
			}
			return read(in, out, n, flags)
		}
		ds := limited(t, s, perSecond)
		for i := range ds {
			sum := int64(0)
			for _, d := range ds[i:] {
				sum += d.n
				span := (d.at - ds[i].at).Seconds() + 0.25
				if float64(sum) > math.Ceil(span*perSecond)+1 {
					t.Fatalf("%d bytes in %g s at %g a second", sum, span-0.25, perSecond)
				}
			}
		}
	})
}

// What is not allowed yet stays in the source.
func TestALimitedCopyTakesNoMoreThanItPassesOn(t *testing.T) {
	s := newScene()
	s.stream(Pipe, 0, 100<<10)
	s.toHole(Socket, 0)
	s.k.budget = 1 << 30
	var passed int64
	s.options.Limiter = NewLimiter(10 << 10)
	s.options.Progress = func(n int64) error {
		passed += n
		if taken := s.src.consumed(); taken != passed {
			t.Errorf("%d bytes were taken when %d had arrived", taken, passed)
		}
		return nil
	}
	if _, err := s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, s.options); err != nil {
		t.Error(err)
	}
}

func TestMethodsThatCannotBeHeldBackDoNotServeALimit(t *testing.T) {
	for _, m := range []Method{Reflink, Direct} {
		s := newScene()
		s.file(Regular, 1<<20, 0)
		s.toFile(Regular, 0, 0, 0)
		s.options.Method, s.options.Limiter = m, NewLimiter(1)
		if _, err := s.copy(); err == nil {
			t.Errorf("%v served", m)
		}
	}
}

func TestACopySaysWhatItIsAt(t *testing.T) {
	for _, m := range []Method{Splice, ReadWrite} {
		s := newScene()
		s.stream(Pipe, 0, 5, 6)
		s.toHole(Socket, 0)
		a := &Activity{}
		s.options.Method, s.options.Activity, s.options.Limiter = m, a, NewLimiter(1000)
		at := map[string]State{}
		see := func(call string, in int) {
			if in == s.src.FD {
				at[call+" in"] = a.State()
			} else {
				at[call+" out"] = a.State()
			}
		}
		k := s.copier.kernel
		splice, read, write, sleep := k.splice, k.read, k.write, k.sleep
		k.splice = func(in, out place, n, flags int) (int, error) { see("splice", in.fd); return splice(in, out, n, flags) }
		k.read = func(fd int, p []byte) (int, error) { see("read", fd); return read(fd, p) }
		k.write = func(fd int, p []byte) (int, error) { see("write", fd); return write(fd, p) }
		k.sleep = func(d time.Duration) { at["sleep"] = a.State(); sleep(d) }
		s.mustCopy(t)
		want := map[string]State{"splice in": Reading, "splice out": Writing, "read in": Reading, "write out": Writing, "sleep": Throttled}
		for call, got := range at {
			if got != want[call] {
				t.Errorf("%v: %v during %s", m, got, call)
			}
		}
		if len(at) < 3 {
			t.Errorf("%v: %v", m, at)
		}
	}
}

// So slow a rate asks for more than a time.Duration holds.
func TestNapsAreAsLongAsATimeCanBe(t *testing.T) {
	for _, perSecond := range []float64{1e-11, 1e-300, 1} {
		s := newScene()
		slept := time.Duration(0)
		s.copier.kernel.sleep = func(d time.Duration) {
			if d <= 0 || d > longestNap {
				t.Fatalf("a nap of %v", d)
			}
			if slept += d; slept > 10*longestNap {
				d = math.MaxInt64 // enough
			}
			s.k.clock = s.k.clock.Add(d)
		}
		if n := NewLimiter(perSecond).admit(s.copier.kernel, 1); n != 1 || slept < time.Second/2 {
			t.Errorf("at %g bytes per second %d are allowed after %v", perSecond, n, slept)
		}
	}
}
