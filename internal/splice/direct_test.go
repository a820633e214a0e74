package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

// directScene copies a file of three blocks and an odd end.
func directScene() *scene {
	s := newScene()
	s.file(Regular, 3*directBlock+5*page+123, 0).align = page
	s.toFile(Regular, 0, 0, 0)
	s.options.Method = Direct
	return s
}

func TestDirectWritesAnUnalignedTailThroughThePageCache(t *testing.T) {
	for _, size := range []int64{0, 1, 511, 512, 513, page, directBlock - 1, directBlock, directBlock + 1, 2*directBlock + 77} {
		s := newScene()
		s.file(Regular, size, 0).align = 512
		s.toFile(Regular, 0, 0, 0).align = 512
		s.options.Method = Direct
		if r := s.mustCopy(t); r.By[Direct] != size/512*512 || r.By[ReadWrite] != size%512 {
			t.Errorf("%d bytes: by method %v", size, r.By)
		}
	}
}

// offsetsScene copies three blocks, less what lies before an offset.
func offsetsScene(from, to int64) *scene {
	s := newScene()
	s.file(Regular, 3*directBlock, 0).align = page
	s.src.o.offset = from
	s.src = s.describe(s.src.o)
	s.toFile(Regular, 0, 10*page, to)
	s.options.Method = Direct
	return s
}

func TestDirectServesOffsetsAtTheSameDistanceFromABoundary(t *testing.T) {
	const size = 3 * directBlock
	for _, c := range []struct{ from, to, direct int64 }{
		{0, 0, size},
		{7 * page, 2 * page, size - 7*page},
		{100, 100, size - page},
		{page - 1, 5*page - 1, size - page},
	} {
		r := offsetsScene(c.from, c.to).mustCopy(t)
		if r.By[Direct] != c.direct || r.By[ReadWrite] != size-c.from-c.direct {
			t.Errorf("from %d to %d: by method %v", c.from, c.to, r.By)
		}
	}
}

func TestOffsetsThatAreAlignedDifferentlyAreNotServedDirectly(t *testing.T) {
	for _, c := range []struct{ from, to int64 }{{0, 1}, {1, 0}, {512, 0}, {100, 101}, {0, 5*page + 7}} {
		s := offsetsScene(c.from, c.to)
		r, err := s.copy()
		if u, ok := err.(*UnservedError); !ok || u.Errno != ErrMisaligned || r.Delivered != 0 {
			t.Errorf("from %d to %d: %v, delivered %d", c.from, c.to, err, r.Delivered)
		}
		s.checkCopy(t, r, err)

		s = offsetsScene(c.from, c.to)
		s.options.Method, s.options.Direct = Auto, true
		r = s.mustCopy(t)
		if len(r.Fallbacks) != 1 || r.Fallbacks[0].Err != ErrMisaligned || r.By[Direct] != 0 {
			t.Errorf("from %d to %d: %+v", c.from, c.to, r)
		}
	}
}

func TestDirectTakesTheLargerAlignmentOfTheTwoFiles(t *testing.T) {
	s := newScene()
	s.file(Regular, 3*page+512, 0).align = 512
	s.toFile(Regular, 0, 0, 0).align = page
	s.options.Method = Direct
	s.mustCopy(t)
}

func TestAFilesystemWithoutDirectAccessIsSaid(t *testing.T) {
	for _, at := range []site{{"reopen", source}, {"reopen", theSink}, {"pread", source}, {"pwrite", theSink}} {
		s := directScene()
		s.fail(at.call, at.who, fault{errno: unix.EINVAL})
		r, err := s.copy()
		if u, ok := err.(*UnservedError); !ok || u.Errno != unix.EINVAL || r.Delivered != 0 {
			t.Errorf("%v: %v, delivered %d", at, err, r.Delivered)
		}
		s.checkCopy(t, r, err)
	}
}

func TestDirectGivenUpAtALaterBlockLeavesTheOffsetsBehindWhatIsDelivered(t *testing.T) {
	for _, at := range []site{{"pread", source}, {"pwrite", theSink}} {
		s := directScene()
		s.fail(at.call, at.who, fault{}, fault{errno: unix.EINVAL})
		r, err := s.copy()
		if u, ok := err.(*UnservedError); !ok || u.Errno != unix.EINVAL || r.Delivered != directBlock {
			t.Errorf("%v: %v, delivered %d", at, err, r.Delivered)
		}
		s.checkCopy(t, r, err)
	}
}

func TestWhatAShortDirectWriteLeavesGoesThroughThePageCache(t *testing.T) {
	for _, most := range []int{1, 511, page, 5*page + 1} {
		s := directScene()
		s.fail("pwrite", theSink, fault{most: most}, fault{most: 3}, fault{}, fault{most: page})
		if r := s.mustCopy(t); r.By[Direct] < directBlock || r.By[ReadWrite] < 123 {
			t.Errorf("short by %d: by method %v", most, r.By)
		}
	}
}

func TestAShortDirectReadIsNotTheEnd(t *testing.T) {
	for _, most := range []int{page, 100} {
		s := directScene()
		s.fail("pread", source, fault{}, fault{most: most})
		s.mustCopy(t)
	}
}

func TestDirectStopsAtTheLimit(t *testing.T) {
	for _, limit := range []int64{1, page, directBlock, directBlock + 1, 2 * directBlock} {
		s := directScene()
		s.options.Limit = limit
		if r := s.mustCopy(t); r.Delivered != limit {
			t.Errorf("limit %d: delivered %d", limit, r.Delivered)
		}
	}
}

func TestErrorsOfADirectCopyNameTheirSide(t *testing.T) {
	s := directScene()
	f := s.src.o.object.(*fakeFile)
	f.bad, f.badErr = 2*directBlock, unix.EIO
	r, err := s.copy()
	if e, ok := err.(*ReadError); !ok || e.Err != unix.EIO || r.Delivered != 2*directBlock {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkCopy(t, r, err)

	s = directScene()
	f = s.dst[0].o.object.(*fakeFile)
	f.full, f.fullErr = 2*directBlock+page, unix.ENOSPC
	r, err = s.copy()
	if e, ok := err.(*WriteError); !ok || e.Err != unix.ENOSPC || r.Delivered != 2*directBlock+page {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkCopy(t, r, err)
}

func TestAnAlignmentBeyondABlockIsNotServed(t *testing.T) {
	s := directScene()
	s.src.o.object.(*fakeFile).align = 2 * directBlock
	if _, err := s.copy(); *(err.(*UnservedError)) != (UnservedError{Direct, Regular, Regular, unix.EINVAL}) {
		t.Errorf("%v", err)
	}
	s.checkKernel(t)
}
