package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

// throughTwoPages is a copy by splice between any two kinds, in a private pipe of two
// pages.
func throughTwoPages(src, dst Kind, pages int64) *scene {
	s := newScene()
	s.k.biggestPipe = 2 * page
	if src == Regular {
		s.file(Regular, pages*page, 0)
	} else {
		segments := make([]int, pages)
		for i := range segments {
			segments[i] = page
		}
		s.stream(src, 0, segments...).burst = 2
	}
	switch dst {
	case Regular:
		s.toFile(Regular, 0, 0, 0)
	case Pipe:
		s.toPipe(0, 16)
	default:
		s.toHole(dst, 0)
	}
	s.options.Method = Splice
	return s
}

// by returns a Report's bytes by splice and by read and write.
func by(r Report) [2]int64 { return [2]int64{r.By[Splice], r.By[ReadWrite]} }

func TestWhatASinkLeavesInThePrivatePipeIsDrainedBeforeTheNextFill(t *testing.T) {
	s := throughTwoPages(Pipe, Regular, 6)
	s.fail("splice out", theSink, fault{most: 1}, fault{most: page}, fault{most: 10}, fault{}, fault{most: 2})
	if r := s.mustCopy(t); by(r) != [2]int64{6 * page, 0} {
		t.Errorf("by method %v", r.By)
	}
	if s.k.calls["splice in"] != 4 {
		t.Errorf("filled %d times, want 3 and the end", s.k.calls["splice in"])
	}
}

func TestWhatIsLeftInThePrivatePipeIsDeliveredBeforeTheFallback(t *testing.T) {
	s := throughTwoPages(Pipe, Socket, 6)
	s.options.Method = Auto
	s.fail("splice out", theSink, fault{most: 100}, fault{errno: unix.EINVAL})
	r := s.mustCopy(t)
	if by(r) != [2]int64{100, 6*page - 100} {
		t.Errorf("by method %v", r.By)
	}
	want := Fallback{From: Splice, To: ReadWrite, At: 2 * page, Err: unix.EINVAL, Count: 1}
	if len(r.Fallbacks) != 1 || r.Fallbacks[0] != want {
		t.Errorf("fallbacks %+v, want %+v", r.Fallbacks, want)
	}
}

func TestNothingIsLostIfTheForcedMethodFailsMidway(t *testing.T) {
	s := throughTwoPages(Pipe, Socket, 6)
	s.fail("splice out", theSink, fault{most: 100}, fault{errno: unix.EINVAL})
	r, err := s.copy()
	if u, ok := err.(*UnservedError); !ok || u.Errno != unix.EINVAL || r.Delivered != 2*page {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkCopy(t, r, err)
}

func TestWithoutDescriptorsForAPipeASourceIsReadAndWritten(t *testing.T) {
	for _, e := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM} {
		s := pipeToPipe()
		s.fail("pipe", nobody, fault{errno: e})
		if r := s.mustCopy(t); r.By[ReadWrite] != r.Delivered || r.Fallbacks[0].Err != e {
			t.Errorf("%v: %+v", e, r)
		}
	}
}

func TestWithoutDescriptorsForAPipeAFileIsSent(t *testing.T) {
	s := fileToFile(0, Auto)
	s.fail("pipe", nobody, fault{errno: unix.EMFILE})
	if r := s.mustCopy(t); r.By[Sendfile] != r.Delivered {
		t.Errorf("%+v", r)
	}
}

func TestSmallSegmentsFillThePrivatePipesSlots(t *testing.T) {
	s := newScene()
	s.k.biggestPipe = 64 << 10
	st := s.stream(Socket, 0)
	for at := range 40 {
		st.segments = append(st.segments, content(int64(at)*1460, 1460))
	}
	st.burst = 40
	s.src.length = 40 * 1460
	s.toFile(Regular, 0, 0, 0)
	s.mustCopy(t)
	if s.k.calls["splice in"] != 4 { // 16, 16, 8 and the end
		t.Errorf("calls %v", s.k.calls)
	}
}

func TestASinkWithoutSpliceSaysItsErrorByWrite(t *testing.T) {
	s := throughTwoPages(Pipe, Character, 3) // /dev/full
	s.options.Method = Auto
	full := s.dst[0].o.object.(*fakeHole)
	full.refusal, full.full, full.err = unix.EINVAL, 0, unix.ENOSPC
	r, err := s.copy()
	if w, ok := err.(*WriteError); !ok || w.Err != unix.ENOSPC || r.Delivered != 0 {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkCopy(t, r, err)
}

func TestAFullFilesystemIsFinal(t *testing.T) {
	s := throughTwoPages(Pipe, Regular, 6)
	s.options.Method = Auto
	file := s.dst[0].o.object.(*fakeFile)
	file.full, file.fullErr = 3*page+5, unix.ENOSPC
	r, err := s.copy()
	if w, ok := err.(*WriteError); !ok || w.Err != unix.ENOSPC || r.Delivered != 3*page+5 || len(r.Fallbacks) > 0 {
		t.Errorf("%v, report %+v", err, r)
	}
	s.checkCopy(t, r, err)
}

func TestAReaderThatHasGoneEndsTheCopy(t *testing.T) {
	for _, m := range []Method{Splice, ReadWrite} {
		s := throughTwoPages(Pipe, Pipe, 100)
		s.options.Method = m
		s.dst[0].o.object.(*fakePipe).reader.leaves = 3 * page
		r, err := s.copy()
		if w, ok := err.(*WriteError); !ok || w.Err != unix.EPIPE {
			t.Errorf("%v: %v", m, err)
		}
		s.checkCopy(t, r, err)
	}
}

func TestAPageThatWasCutOffTheFileOnItsWayIsSaid(t *testing.T) {
	s := throughTwoPages(Pipe, Regular, 4)
	s.src.o.object = cutOff{s.src.o.object, unix.ENODATA}
	r, err := s.copy()
	if e, ok := err.(*ReadError); !ok || e.Err != ErrTruncated || r.Delivered != page {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkKernel(t)
}

func TestADiskErrorOfAPageOnItsWayIsAReadError(t *testing.T) {
	s := throughTwoPages(Pipe, Regular, 4)
	s.src.o.object = cutOff{s.src.o.object, unix.EIO}
	r, err := s.copy()
	if e, ok := err.(*ReadError); !ok || e.Err != unix.EIO || r.Delivered != page {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkKernel(t)
}

// cutOff is a source whose second page on cannot be had from a pipe.
type cutOff struct {
	object
	errno unix.Errno
}

func (c cutOff) peek(d *opened, n int, plain bool) ([]slot, error) {
	seen, err := c.object.peek(d, n, plain)
	if len(seen) > 1 {
		seen[1].errno = c.errno
	}
	return seen, err
}

func TestAPipeWithLeftOversIsNotUsedAgain(t *testing.T) {
	s := throughTwoPages(Pipe, Socket, 4)
	s.fail("splice out", theSink, fault{errno: unix.ECONNRESET})
	if _, err := s.copy(); err == nil {
		t.Fatal("no error")
	}
	first := s.copier.pipe
	if first.held == 0 {
		t.Fatal("nothing is left over")
	}
	s.checkSecondCopy(t)
	if s.copier.pipe == first {
		t.Error("the same pipe was used")
	}
	s.checkKernel(t)
}

func TestACopierKeepsItsPipe(t *testing.T) {
	s := throughTwoPages(Pipe, Socket, 4)
	s.mustCopyAndKeep(t)
	before := s.k.calls["pipe"]
	s.checkSecondCopy(t)
	if s.k.calls["pipe"] != before {
		t.Error("it made another")
	}
	s.checkKernel(t)
}

func (s *scene) mustCopyAndKeep(t *testing.T) {
	t.Helper()
	if _, err := s.copy(); err != nil {
		t.Fatal(err)
	}
}

func TestACharacterDeviceThatRefusesSpliceIsRead(t *testing.T) {
	s := throughTwoPages(Character, Pipe, 6)
	s.options.Method = Auto
	s.src.o.object.(*fakeStream).refusal = unix.EINVAL
	if r := s.mustCopy(t); by(r) != [2]int64{0, 6 * page} {
		t.Errorf("by method %v", r.By)
	}
}

func TestASocketThatRefusesSpliceMidwayIsRead(t *testing.T) {
	s := throughTwoPages(Socket, Pipe, 6) // a control record of kernel TLS
	s.options.Method = Auto
	st := s.src.o.object.(*fakeStream)
	st.refusal, st.refuse = unix.EINVAL, 4*page
	if r := s.mustCopy(t); by(r) != [2]int64{4 * page, 2 * page} {
		t.Errorf("by method %v", r.By)
	}
}

func TestAppendSwitchedOnBySomebodyElseIsNoError(t *testing.T) {
	for _, m := range []Method{CopyFileRange, Splice, Sendfile} {
		s := fileToFile(unix.XFS_SUPER_MAGIC, Auto)
		s.dst[0].o.flags |= unix.O_APPEND // behind the back of the Descriptor
		s.dst[0].Stat.Dev = 7
		s.options.NoOffload = m != CopyFileRange
		if m == Sendfile {
			s.fail("pipe", nobody, fault{errno: unix.EMFILE})
		}
		if r := s.mustCopy(t); r.By[ReadWrite] != 20*page {
			t.Errorf("%v: by method %v", m, r.By)
		}
	}
}

func TestALargeFileIsAnnouncedAndItsBlocksReserved(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*scene)
		advised  int
		reserved int
	}{
		{"on ext4", func(*scene) {}, 1, 1},
		{"on another filesystem", func(s *scene) { s.dst[0].FS = unix.XFS_SUPER_MAGIC }, 1, 0},
		{"unless it was promised", func(s *scene) { s.options.Preallocate = false }, 1, 0},
		{"not for a sparse file", func(s *scene) { s.src.Stat.Blocks = 8 }, 1, 0},
		{"not for a small part", func(s *scene) { s.options.Limit = worthPreparing - 1 }, 0, 0},
		{"also if it cannot be done", func(s *scene) { s.fail("fallocate", nobody, fault{errno: unix.ENOSPC}) }, 1, 1},
	} {
		s := newScene()
		s.file(Regular, worthPreparing, 0)
		s.toFile(Regular, 0, 0, 0)
		s.dst[0].FS, s.src.FS = unix.EXT4_SUPER_MAGIC, unix.EXT4_SUPER_MAGIC
		s.options.Preallocate = true
		c.change(s)
		s.mustCopy(t)
		if s.k.calls["fadvise"] != c.advised || s.k.calls["fallocate"] != c.reserved {
			t.Errorf("%s: calls %v", c.name, s.k.calls)
		}
	}
}
