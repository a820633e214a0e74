package splice

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFileWhoseSizeIsNotTrueIsReadToItsEnd(t *testing.T) {
	for _, known := range []int64{0, page} { // procfs, sysfs
		for m := Auto; m <= ReadWrite; m++ {
			if m == Reflink || m == Direct || m == Mmap {
				continue // refused by such files, or asked for whole files
			}
			s := newScene()
			f := s.file(Regular, 3*page+7, 0)
			f.known, f.atOnce = known, 1000
			s.src = s.describe(s.src.o)
			s.src.length = 3*page + 7
			s.toFile(Regular, 0, 0, 0)
			s.options.Method = m
			s.mustCopy(t)
		}
	}
}

func TestACallThatReturnsNothingEarlyIsNotTheEndOfAFile(t *testing.T) {
	for _, c := range []struct {
		m    Method
		call string
		who  party
	}{{CopyFileRange, "copy_file_range", either}, {Sendfile, "sendfile", either}, {Splice, "splice in", source}} {
		s := fileToFile(0, c.m)
		s.fail(c.call, c.who, fault{most: page}, fault{zero: true})
		if r := s.mustCopy(t); r.By[c.m] != page || r.By[ReadWrite] != 19*page {
			t.Errorf("%v: by method %v", c.m, r.By)
		}
	}
}

func TestAFileThatGrowsMeanwhileIsReadToItsNewEnd(t *testing.T) {
	for m := Reflink; m <= ReadWrite; m++ {
		s := fileToFile(unix.XFS_SUPER_MAGIC, m)
		f := s.src.o.object.(*fakeFile)
		grown := false
		s.copier.kernel.read = func(fd int, p []byte) (int, error) {
			n, err := s.k.read(fd, p)
			if n == 0 && !grown { // the end, as far as anybody knew
				grown = true
				f.grow(page)
				return s.k.read(fd, p)
			}
			return n, err
		}
		s.src.length = 21 * page
		r, err := s.copy()
		s.made = 0 // one read more than the engine knows of
		if err != nil {
			t.Error(err)
		}
		s.checkCopy(t, r, err)
	}
}

func TestAFileThatShrinksMeanwhileEndsTheCopy(t *testing.T) {
	for m := CopyFileRange; m <= ReadWrite; m++ {
		s := newScene()
		f := s.file(Regular, 3*directBlock, 0)
		s.toFile(Regular, 0, 0, 0)
		s.options.Method = m
		s.src.length = -1 // changes midway
		s.options.Progress = func(int64) error {
			s.k.mu.Lock() // direct reads ahead meanwhile
			defer s.k.mu.Unlock()
			f.resize(page)
			return nil
		}
		r, err := s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, s.options)
		s.progress = r.Delivered
		if err != nil && m != Mmap {
			t.Errorf("%v: %v", m, err)
		}
		s.checkCopy(t, r, err)
	}
}

func TestATerminalIsNotAskedASecondTimeForItsEnd(t *testing.T) {
	s := newScene()
	st := s.stream(Terminal, 0, 10, 20, 0)
	st.segments = append(st.segments, []byte("typed after the end"))
	s.toPipe(0, 16)
	s.mustCopy(t) // the fake kernel insists on it
	s = newScene()
	s.stream(Terminal, 0, 10, 20, 0)
	s.toPipe(0, 16)
	s.toPipe(0, 16)
	sinks, r, err := s.tee()
	s.checkTee(t, sinks, r, err)
}

func TestAShortReadIsNotTheEnd(t *testing.T) {
	s := newScene()
	s.stream(Pipe, 0, 1, 2, 3, 4000, 1)
	s.toPipe(0, 16)
	s.options.Method = ReadWrite
	s.mustCopy(t)
}

func TestADirectoryIsAReadErrorByEveryMethod(t *testing.T) {
	for m := Auto; m <= ReadWrite; m++ {
		s := newScene()
		s.stream(Directory, 0).fails = unix.EISDIR
		s.toPipe(0, 16)
		s.options.Method = m
		r, err := s.copy()
		if e, ok := err.(*ReadError); !ok || e.Err != unix.EISDIR {
			t.Errorf("%v: %v", m, err)
		}
		s.checkCopy(t, r, err)
	}
}

func TestNothingLeftToCopyAtTheLargestOffsetIsNoError(t *testing.T) {
	s := fileToFile(unix.XFS_SUPER_MAGIC, Auto)
	s.dst[0].Stat.Dev = 7
	s.src.o.object.(*fakeFile).resize(0) // after it was looked at
	s.src.length = 0
	s.fail("copy_file_range", either, fault{errno: unix.EFBIG})
	s.mustCopy(t)
}

func TestTroubleOfACallThatReadsAndWritesIsNamedByReadOrWrite(t *testing.T) {
	for _, m := range []Method{CopyFileRange, Sendfile} {
		for _, e := range []unix.Errno{unix.EIO, unix.ESTALE, unix.ENOTCONN} {
			for _, who := range []party{source, theSink} {
				s := fileToFile(unix.XFS_SUPER_MAGIC, Auto)
				s.dst[0].Stat.Dev = 7
				if m == Sendfile {
					s.options.NoOffload = true
					s.fail("pipe", nobody, fault{errno: unix.EMFILE})
				}
				from, to := s.src.o.object.(*fakeFile), s.dst[0].o.object.(*fakeFile)
				if who == source {
					from.bad, from.badErr = 3*page, e
				} else {
					to.full, to.fullErr = 3*page, e
				}
				r, err := s.copy()
				if _, reads := err.(*ReadError); reads != (who == source) || r.Delivered != 3*page {
					t.Errorf("%v, %v of %v: %T %v, delivered %d", m, e, who, err, err, r.Delivered)
				}
				s.checkCopy(t, r, err)
			}
		}
	}
}

func TestALimitIsNeitherPassedNorReadAhead(t *testing.T) {
	for m := Auto; m <= ReadWrite; m++ {
		for _, limit := range []int64{1, page - 1, page, 10*page + 3, 100 * page} {
			s := pipeToPipe()
			if m != Auto && m != Splice && m != ReadWrite {
				s = fileToFile(0, m)
			}
			if m == Reflink {
				continue // of whole files
			}
			s.options.Limit = limit
			s.mustCopy(t)
		}
	}
}

func TestNoCallIsMadeOnceTheLimitIsReached(t *testing.T) {
	s := pipeToPipe()
	s.options.Limit = 10
	s.mustCopy(t)
	if s.k.calls["splice in"] != 1 || s.k.calls["splice out"] != 1 {
		t.Errorf("calls %v", s.k.calls)
	}
}

func TestOneCallMovesWhatADeviceTakesInWellUnderASecond(t *testing.T) {
	for m := Auto; m <= ReadWrite; m++ {
		if m == Reflink {
			continue
		}
		s := newScene()
		s.file(Regular, 9<<20, 0)
		s.toFile(Regular, 0, 0, 0)
		s.options.Method = m
		s.options.Progress = func(n int64) error {
			if n > 8<<20 {
				t.Errorf("%v moved %d bytes at once", m, n)
			}
			return nil
		}
		if _, err := s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, s.options); err != nil {
			t.Errorf("%v: %v", m, err)
		}
		s.checkKernel(t)
	}
}

func TestMoreThanFourGigabytesAreCounted(t *testing.T) {
	const total = 5 << 30
	s := fileToFile(0, CopyFileRange)
	left := int64(total)
	s.copier.kernel.copyFileRange = func(_, _ place, n int) (int, error) {
		n = int(min(left, int64(n)))
		left -= int64(n)
		return n, nil
	}
	s.copier.kernel.read = func(int, []byte) (int, error) { return 0, nil }
	r, err := s.copy()
	if err != nil || r.Delivered != total || r.By[CopyFileRange] != total || s.progress != total {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAnErrorOfProgressEndsTheCopyWithThatError(t *testing.T) {
	for m := Auto; m <= ReadWrite; m++ {
		s := fileToFile(unix.XFS_SUPER_MAGIC, m)
		s.stop = 1
		r, err := s.copy()
		if err != errStopped {
			t.Errorf("%v: %v", m, err)
		}
		s.checkCopy(t, r, err)
	}
}

func TestAWriteThatReturnsNothingIsAnError(t *testing.T) {
	for _, m := range []Method{ReadWrite, Mmap} {
		s := fileToFile(0, m)
		s.fail("write", theSink, fault{most: 10}, fault{zero: true})
		r, err := s.copy()
		if w, ok := err.(*WriteError); !ok || w.Err != ErrNoProgress || r.Delivered != 10 {
			t.Errorf("%v: %v, delivered %d", m, err, r.Delivered)
		}
		s.checkCopy(t, r, err)
	}
}

func TestAReportCountsEverySystemCall(t *testing.T) {
	for m := Reflink; m <= ReadWrite; m++ {
		s := fileToFile(unix.XFS_SUPER_MAGIC, m)
		for _, f := range faulty {
			if f.signal {
				s.fail(f.call, f.who, fault{errno: unix.EINTR})
			}
		}
		s.mustCopy(t) // which compares the two
	}
}

// splice(2) returns 0 where the peer of a TCP connection has marked a byte as
// urgent, which looks like the end.
func TestAnUrgentByteIsNotTheEnd(t *testing.T) {
	for _, at := range [][]int64{{0}, {1000}, {1000, 5000}, {0, 1, 20 * page}} {
		urgent := func() *scene {
			s := newScene()
			s.stream(Socket, 0, slices.Repeat([]int{page}, 20)...).urgent = slices.Clone(at)
			s.src.length = 20 * page
			return s
		}
		for _, m := range []Method{Auto, Splice, ReadWrite} {
			s := urgent()
			s.toHole(Socket, 0)
			s.options.Method = m
			s.mustCopy(t)
		}
		s := urgent()
		s.toPipe(0, 16)
		s.toFile(Regular, 0, 0, 0)
		s.mustTee(t)
		s = urgent()
		h := s.toHole(Socket, 0)
		r, err := s.copier.CopyBuffered(s.dst[0].Descriptor, s.src.Descriptor, Buffer{Size: 1 << 20}, Options{})
		if wrong := difference(h.got, content(0, 20*page)); wrong != "" || err != nil || r.Delivered != 20*page {
			t.Errorf("buffered: %v, %s", err, wrong)
		}
	}
}
