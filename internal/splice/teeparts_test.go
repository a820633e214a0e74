package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

// fanScene is a pipe of so many pages as source, and a private pipe of four.
func fanScene(pages int) *scene {
	s := newScene()
	s.k.biggestPipe = 4 * page
	segments := make([]int, pages)
	for i := range segments {
		segments[i] = page
	}
	s.stream(Pipe, 0, segments...).burst = 4
	return s
}

// mustTee runs a fan-out in which only the given sinks may fail.
func (s *scene) mustTee(t *testing.T, mayFail ...int) ([]*Sink, Report) {
	t.Helper()
	sinks, r, err := s.tee()
	if err != nil {
		t.Errorf("error %v", err)
	}
	for i, sink := range sinks {
		may := false
		for _, j := range mayFail {
			may = may || i == j
		}
		if failed := sink.Err != nil; failed != may {
			t.Errorf("sink %d: error %v", i, sink.Err)
		}
	}
	s.checkTee(t, sinks, r, err)
	return sinks, r
}

func TestAPipeGetsReferencesAndTheLastSinkTheBytes(t *testing.T) {
	s := fanScene(20)
	s.toPipe(0, 16)
	s.toFile(Regular, 0, 0, 0)
	sinks, r := s.mustTee(t)
	if sinks[0].By[TeePipe] != 20*page || sinks[1].By[Splice] != 20*page || r.Copied != 20*page {
		t.Errorf("%v, %v, copied %d", sinks[0].By, sinks[1].By, r.Copied)
	}
	if s.k.calls["read"]+s.k.calls["write"] > 1 { // read confirms the end
		t.Errorf("calls %v", s.k.calls)
	}
}

// tee does not consume: what it repeats would arrive twice.
func TestTheSinkWithTheLeastRoomSetsThePace(t *testing.T) {
	s := fanScene(20)
	s.toPipe(0, 1) // one slot: tee takes a page, and that page is then taken out
	s.toFile(Regular, 0, 0, 0)
	s.toHole(Socket, 0)
	s.toPipe(unix.O_NONBLOCK, 3)
	_, r := s.mustTee(t)
	if r.By[ReadWrite] > 0 {
		t.Errorf("by method %v", r.By)
	}
}

func TestOneSinkThatFailsLeavesTheOthersComplete(t *testing.T) {
	kinds := []struct {
		name string
		add  func(s *scene)
	}{
		{"lead", func(s *scene) { s.toPipe(0, 2).reader.leaves = 6 * page }},
		{"file", func(s *scene) { f := s.toFile(Regular, 0, 0, 0); f.full, f.fullErr = 6*page+5, unix.ENOSPC }},
		{"socket", func(s *scene) { h := s.toHole(Socket, 0); h.full, h.err = 6*page+5, unix.ECONNRESET }},
		{"terminal", func(s *scene) { h := s.toHole(Terminal, 0); h.full, h.err = 6*page+5, unix.EIO }},
	}
	for at := range 4 {
		for _, failing := range kinds {
			s := fanScene(20)
			for i := range 4 {
				switch {
				case i == at:
					failing.add(s)
				case i%2 == 0:
					s.toPipe(0, 3)
				default:
					s.toFile(Regular, 0, 0, 0)
				}
			}
			s.mustTee(t, at)
			if t.Failed() {
				t.Fatalf("the %s at %d failed", failing.name, at)
			}
		}
	}
}

func TestWhatAFailedSinkDidNotTakeGoesToNoOther(t *testing.T) {
	s := fanScene(20)
	h := s.toHole(Socket, 0)
	h.full, h.err = 100, unix.ECONNRESET
	s.toFile(Regular, 0, 0, 0)
	s.toFile(Regular, 0, 0, 0)
	s.mustTee(t, 0)
}

func TestTheCopyEndsWithTheLastSink(t *testing.T) {
	s := fanScene(100)
	s.toPipe(0, 2).reader.leaves = page
	s.toPipe(0, 2).reader.leaves = 4 * page
	sinks, r := s.mustTee(t, 0, 1)
	if s.src.consumed() > 20*page {
		t.Errorf("took %d pages from the source", s.src.consumed()/page)
	}
	if r.Delivered > sinks[1].Delivered() {
		t.Errorf("delivered %d, but the last sink has %d", r.Delivered, sinks[1].Delivered())
	}
}

func TestNobodyHasWhatASingleSinkRefused(t *testing.T) {
	for _, m := range []Method{Splice, ReadWrite} {
		s := fanScene(4)
		h := s.toHole(Socket, 0)
		h.full, h.err = 0, unix.ENOSPC
		s.options.Method = m
		if _, r := s.mustTee(t, 0); r.Delivered != 0 || s.progress != 0 {
			t.Errorf("%v: delivered %d", m, r.Delivered)
		}
	}
}

func TestASinkThatRefusesSpliceIsWrittenTo(t *testing.T) {
	for _, kind := range []Kind{Terminal, Other, Character} {
		s := fanScene(20)
		s.toPipe(0, 2)
		s.toHole(kind, 0).refusal = unix.EINVAL
		s.toFile(Regular, 0, 0, 0)
		if sinks, _ := s.mustTee(t); sinks[1].By[ReadWrite] != 20*page || sinks[0].By[TeePipe] != 20*page {
			t.Errorf("%v: %v", kind.Describe(), sinks[1].By)
		}
	}
}

func TestAnAppendingSinkIsWrittenToAndTheOthersStayFast(t *testing.T) {
	s := fanScene(20)
	s.toFile(Regular, unix.O_APPEND, 1000, 0)
	s.toPipe(0, 4)
	s.toFile(Regular, 0, 0, 0)
	sinks, _ := s.mustTee(t)
	if sinks[0].By[ReadWrite] != 20*page || sinks[1].By[Splice] != 20*page || sinks[2].By[Splice] != 20*page {
		t.Errorf("%v, %v, %v", sinks[0].By, sinks[1].By, sinks[2].By)
	}
}

func TestTheRestOfAPipeArrivesWhenTheLastSplicedSinkTurnsPlain(t *testing.T) {
	for _, kind := range []Kind{Pipe, Socket} {
		s := newScene()
		s.stream(kind, 0, page, page, page, page, page)
		s.toHole(Character, 0)
		s.fail("splice out", theSink, fault{}, fault{errno: unix.EINVAL})
		sinks, r := s.mustTee(t)
		if sinks[0].By[Splice] != page || sinks[0].By[ReadWrite] != 4*page || len(r.Fallbacks) != 1 {
			t.Errorf("from %s: %v, %+v", kind.Describe(), sinks[0].By, r.Fallbacks)
		}
	}
}

func TestATeeThatReturnsNothingIsNotTheEnd(t *testing.T) {
	for _, who := range []party{theSink, nobody} {
		s := fanScene(20)
		s.toPipe(0, 4)
		s.toPipe(0, 4)
		s.toFile(Regular, 0, 0, 0)
		s.fail("tee", who, fault{}, fault{zero: true})
		s.mustTee(t)
	}
}

func TestAKernelThatHasNoTeeFailsNoSink(t *testing.T) {
	for _, e := range []unix.Errno{unix.ENOSYS, unix.EPERM, unix.ENOMEM, unix.EINVAL} {
		s := fanScene(20)
		s.toFile(Regular, 0, 0, 0)
		s.toHole(Socket, 0)
		s.toPipe(0, 4)
		s.toPipe(0, 4)
		for who := nobody; who <= 4; who++ {
			s.fail("tee", who, times(20, fault{errno: e})...)
		}
		s.mustTee(t)
	}
}

func TestATeeThatTakesLessThanThereIsFailsNoSink(t *testing.T) {
	s := fanScene(20)
	for range 3 {
		s.toFile(Regular, 0, 0, 0)
	}
	s.fail("tee", nobody, fault{}, fault{most: 100}, fault{}, fault{most: page})
	s.mustTee(t)
}

func TestBothPrivatePipesHoldTheSame(t *testing.T) {
	s := fanScene(20)
	s.k.biggestPipe = 1 << 20
	s.toFile(Regular, 0, 0, 0)
	s.toFile(Regular, 0, 0, 0)
	s.fail("F_SETPIPE_SZ", nobody, fault{}, fault{errno: unix.EPERM}, fault{errno: unix.EPERM})
	sinks, _, err := s.tee()
	if p, q := s.copier.pipe.capacity, s.copier.scratch.capacity; err != nil || p != 256<<10 || q != p {
		t.Errorf("%d and %d (%v)", p, q, err)
	}
	if sinks[0].By[Splice] != 20*page {
		t.Errorf("%v", sinks[0].By)
	}
	s.checkKernel(t)
}

func TestAPipeOfUnknownSizeIsNotUsedAgain(t *testing.T) {
	for refused := range 2 {
		s := fanScene(20)
		s.k.biggestPipe = 1 << 20
		s.toFile(Regular, 0, 0, 0)
		s.toFile(Regular, 0, 0, 0)
		s.fail("F_SETPIPE_SZ", nobody, fault{}, fault{errno: unix.EBUSY})
		s.fail("F_SETPIPE_SZ", nobody, make([]fault, refused)...)
		s.fail("F_SETPIPE_SZ", nobody, fault{errno: unix.ENOMEM})
		sinks, r, err := s.tee()
		if err != nil || r.By[ReadWrite] != 40*page {
			t.Errorf("%v, by method %v", err, r.By)
		}
		s.checkSecondCopy(t)
		s.checkTee(t, sinks, r, err)
	}
}

func TestWithoutDescriptorsForItsPipesAFanOutReadsAndWrites(t *testing.T) {
	for made := range 2 {
		s := fanScene(20)
		s.toFile(Regular, 0, 0, 0)
		s.toPipe(0, 4)
		s.fail("pipe", nobody, make([]fault, made)...)
		s.fail("pipe", nobody, fault{errno: unix.EMFILE})
		if _, r := s.mustTee(t); r.By[ReadWrite] != 40*page {
			t.Errorf("with %d pipes: by method %v", made, r.By)
		}
	}
}

func TestANonblockingSinkLosesNothing(t *testing.T) {
	for _, m := range []Method{Auto, ReadWrite} {
		s := fanScene(30)
		s.toPipe(unix.O_NONBLOCK, 1)
		s.toPipe(unix.O_NONBLOCK, 2)
		s.toHole(Socket, unix.O_NONBLOCK).rooms = []int{0, 10, 100, 0, 5000, 1}
		s.toHole(Terminal, unix.O_NONBLOCK).rooms = []int{1, 2, 3}
		s.options.Method = m
		s.mustTee(t)
	}
}

func TestWhatHasArrivedIsPassedOnAtOnce(t *testing.T) {
	for _, m := range []Method{Auto, ReadWrite} {
		s := fanScene(0)
		st := s.stream(Pipe, 0, 10, 20, 30)
		st.burst = 1
		hole := s.toHole(Socket, 0)
		s.toPipe(0, 16)
		s.options.Method = m
		fill := s.copier.kernel.splice
		look := func() {
			if int64(len(hole.got)) != st.consumed {
				t.Errorf("%v: asked for more when the sink had %d bytes of %d", m, len(hole.got), st.consumed)
			}
		}
		s.copier.kernel.splice = func(in, out place, n, flags int) (int, error) {
			if in.fd == s.src.FD {
				look()
			}
			return fill(in, out, n, flags)
		}
		s.copier.kernel.read = func(fd int, p []byte) (int, error) {
			look()
			return s.k.read(fd, p)
		}
		s.mustTee(t)
	}
}

func TestAMethodThatCannotServeASinkIsSaidBeforeAnythingIsTaken(t *testing.T) {
	for _, c := range []struct {
		m    Method
		kind Kind
	}{{Splice, Terminal}, {Sendfile, Regular}, {Direct, Regular}, {CopyFileRange, Regular}, {Reflink, Regular}, {Mmap, Pipe}} {
		s := fanScene(4)
		s.toHole(c.kind, 0)
		s.options.Method = c.m
		_, _, err := s.tee()
		if u, ok := err.(*UnservedError); !ok || *u != (UnservedError{Method: c.m, Src: Pipe, Dst: c.kind}) || s.k.steps > 0 {
			t.Errorf("%v to %v: %v after %d calls", c.m, c.kind.Describe(), err, s.k.steps)
		}
	}
}

func TestATerminalIsNeverSplicedToManySinks(t *testing.T) {
	s := newScene()
	s.stream(Terminal, 0, 10, 20)
	s.toPipe(0, 4)
	s.toPipe(0, 4)
	s.mustTee(t) // the fake kernel insists on it
	s = newScene()
	s.stream(Terminal, 0, 10)
	s.toPipe(0, 4)
	s.options.Method = Splice
	if _, _, err := s.tee(); *(err.(*UnservedError)) != (UnservedError{Method: Splice, Src: Terminal, Dst: Pipe}) {
		t.Errorf("%v", err)
	}
}

func TestWithoutSinksNothingIsTaken(t *testing.T) {
	s := fanScene(4)
	if _, r, err := s.tee(); err != nil || r.Delivered != 0 || s.src.consumed() != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestASinkWhoseReaderHasGoneIsNoticedBeforeMoreInput(t *testing.T) {
	s := fanScene(20)
	p := s.toPipe(0, 4)
	s.teeing.WatchSinks = true
	p.reader.leaves = 1
	p.reader.got = []byte("x")
	_, _, err := s.tee()
	if err != nil || s.src.consumed() != 0 {
		t.Errorf("%v, took %d bytes", err, s.src.consumed())
	}
	s.checkKernel(t)
}

func TestAnErrorOfSinkFailedEndsTheCopyWithThatError(t *testing.T) {
	for _, m := range []Method{Splice, ReadWrite} {
		s := fanScene(20)
		h := s.toHole(Socket, 0)
		h.full, h.err = 5*page, unix.ECONNRESET
		s.toFile(Regular, 0, 0, 0)
		s.options.Method = m
		s.giveUp = 1
		sinks, r, err := s.tee()
		if err != errGivenUp {
			t.Errorf("%v: %v", m, err)
		}
		s.checkTee(t, sinks, r, err)
	}
}

func TestAFanOutNeedsNobodyToTell(t *testing.T) {
	for _, m := range []Method{Auto, ReadWrite} {
		s := fanScene(20)
		s.toPipe(0, 4).reader.leaves = 3 * page
		file := s.toFile(Regular, 0, 0, 0)
		sinks := []*Sink{{Descriptor: s.dst[0].Descriptor}, {Descriptor: s.dst[1].Descriptor}}
		r, err := s.copier.Tee(sinks, s.src.Descriptor, TeeOptions{Method: m})
		if wrong := difference(file.bytes(), content(0, 20*page)); wrong != "" || err != nil || r.Delivered != 20*page {
			t.Errorf("%v: %v, delivered %d: %s", m, err, r.Delivered, wrong)
		}
		if sinks[0].Err == nil || sinks[1].Err != nil {
			t.Errorf("%v: %v, %v", m, sinks[0].Err, sinks[1].Err)
		}
		s.checkKernel(t)
	}
}

func TestPollsOwnErrorIsThatOfTheSink(t *testing.T) {
	for call, m := range map[string]Method{"tee": Auto, "splice out": Auto, "write": ReadWrite} {
		s := fanScene(20)
		s.toPipe(unix.O_NONBLOCK, 4)
		s.toHole(Socket, unix.O_NONBLOCK)
		who := theSink
		if call == "splice out" {
			who++
		}
		s.options.Method = m
		s.fail(call, who, fault{}, fault{errno: unix.EAGAIN})
		s.fail("poll", who, fault{errno: unix.ENOMEM})
		sinks, _ := s.mustTee(t, int(who-theSink))
		if w, ok := sinks[who-theSink].Err.(*WriteError); !ok || w.Err != unix.ENOMEM {
			t.Errorf("%s: %v", call, sinks[who-theSink].Err)
		}
	}
}

func TestASinkThatFailedInAnEarlierFanOutGetsNothingMore(t *testing.T) {
	s := fanScene(20)
	hole := s.toHole(Socket, 0)
	s.toFile(Regular, 0, 0, 0)
	sinks := []*Sink{{Descriptor: s.dst[0].Descriptor, Err: &WriteError{unix.EPIPE}}, {Descriptor: s.dst[1].Descriptor}}
	r, err := s.copier.Tee(sinks, s.src.Descriptor, TeeOptions{})
	if err != nil || r.Delivered != 20*page || sinks[1].Delivered() != 20*page || len(hole.got) > 0 {
		t.Errorf("%v, %d delivered, %d bytes to the one that failed", err, r.Delivered, len(hole.got))
	}
	s.checkKernel(t)
}

func TestWhatAttendDoesIsDoneBetweenTwoRounds(t *testing.T) {
	for _, m := range []Method{Auto, ReadWrite} {
		s := fanScene(20)
		old := s.toFile(Regular, 0, 0, 0)
		s.toPipe(0, 4)
		s.options.Method = m
		bell := &fakeBell{rings: 2}
		fresh := newFakeFile(s.k, nil)
		s.teeing.Event = &Event{FD: s.k.add(bell, nobody, Other, unix.O_RDONLY).fd, Handle: func() error {
			bell.rings = 1e9
			s.dst[0].o.object, s.dst[0].o.offset = fresh, 0 // as dup2 would
			return nil
		}}
		_, _, err := s.tee()
		both := append(old.bytes(), fresh.bytes()...)
		if wrong := difference(both, content(0, 20*page)); wrong != "" || err != nil {
			t.Errorf("%v: %v, %s", m, err, wrong)
		}
		if len(old.pages) == 0 || len(fresh.pages) == 0 {
			t.Errorf("%v: %d pages before, %d after", m, len(old.pages), len(fresh.pages))
		}
		s.checkKernel(t)
	}
}

func TestAnErrorOfAttendEndsTheCopyWithThatError(t *testing.T) {
	s := fanScene(20)
	s.toPipe(0, 4)
	bell := s.k.add(&fakeBell{rings: 2}, nobody, Other, unix.O_RDONLY)
	s.teeing.Event = &Event{FD: bell.fd, Handle: func() error { return errStopped }}
	if _, _, err := s.tee(); err != errStopped {
		t.Errorf("%v", err)
	}
	s.checkKernel(t)
}

// order notes who gets bytes, and how many, by watching the calls.
func order(s *scene) *[]int {
	var got []int
	add := func(fd int) {
		for i, d := range s.dst {
			if d.FD == fd && (len(got) == 0 || got[len(got)-1] != i) {
				got = append(got, i)
			}
		}
	}
	k := s.copier.kernel
	splice, tee, write := k.splice, k.tee, k.write
	k.splice = func(in, out place, n, flags int) (int, error) { add(out.fd); return splice(in, out, n, flags) }
	k.tee = func(in, out, n int) (int, error) { add(out); return tee(in, out, n) }
	k.write = func(fd int, p []byte) (int, error) { add(fd); return write(fd, p) }
	return &got
}

// As tee does: standard output first, then the files in the order given.
func TestSinksGetTheirBytesInTheOrderGiven(t *testing.T) {
	for _, kinds := range []string{"pff", "fpf", "aff", "faf", "apa", "ppp", "paf", "aaf", "faa", "tfp", "fp"} {
		s := fanScene(4)
		for _, kind := range kinds {
			switch kind {
			case 'p':
				s.toPipe(0, 16)
			case 'f':
				s.toFile(Regular, 0, 0, 0)
			case 'a':
				s.toFile(Regular, unix.O_APPEND, 10, 0)
			case 't':
				s.toHole(Terminal, 0)
			}
		}
		s.src.o.object.(*fakeStream).burst = 100
		got := order(s)
		s.mustTee(t)
		for i, who := range *got {
			if who != i%len(kinds) {
				t.Errorf("%s: %v", kinds, *got)
				break
			}
		}
	}
}

func TestAfterTheFirstFailureNoSinkGetsAByte(t *testing.T) {
	for _, m := range []Method{Auto, ReadWrite} {
		s := fanScene(100)
		s.src.o.object.(*fakeStream).burst = 100
		first := s.toFile(Regular, 0, 0, 0)
		full := s.toHole(Character, 0)
		full.full, full.err = 0, unix.ENOSPC
		last := s.toFile(Regular, 0, 0, 0)
		s.options.Method, s.teeing.FirstRound, s.giveUp = m, 16*page, 1
		_, r, err := s.tee()
		if err == nil || first.size > 16*page || last.size != 0 || r.Delivered != 0 {
			t.Errorf("%v: %v, the sinks have %d, %d, %d bytes", m, err, first.size, len(full.got), last.size)
		}
	}
}
