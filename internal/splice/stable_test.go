package splice

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// scribble changes every byte of a file, in the pages that pipes refer to.
func scribble(f *fakeFile) {
	for _, data := range f.pages {
		for i := range data {
			data[i] ^= 0xff
		}
	}
}

func (s *scene) writer(step int) {
	f := s.src.o.object.(*fakeFile)
	f.writers = append(f.writers, &fakeWriter{step: step, change: scribble})
}

// stableScene is a file of some pages on its way into a pipe of two slots,
// with a private pipe of two.
func stableScene(pages int64) (*scene, *fakeReader) {
	s := newScene()
	s.k.biggestPipe = 2 * page
	s.file(Regular, pages*page, 0)
	s.options.Stable = true
	return s, s.toPipe(0, 2).reader
}

func TestTheReaderOfAStableCopyGetsTheBytesAsTheyWereWhenTheyCame(t *testing.T) {
	for _, m := range []Method{Auto, Splice} {
		t.Run(m.String(), property.Make(property.Usual, func(t *rapid.T) {
			s := newScene()
			drawOptions(t, s, m)
			s.options.Stable = true
			f := s.file(Regular, size(t, "source size"), 0)
			f.noLease = rapid.SampledFrom([]unix.Errno{0, 0, 0, unix.EACCES}).Draw(t, "no lease")
			before := f.bytes()
			drawSink(t, s, []Kind{Pipe})
			reader := s.dst[0].o.object.(*fakePipe).reader
			reader.wakes = s.k.clock.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "reader wakes")) * time.Second)
			s.k.leaseTime = time.Duration(rapid.IntRange(1, 3).Draw(t, "lease-break-time")) * time.Second
			s.writer(rapid.IntRange(1, 40).Draw(t, "writer comes"))
			drawFaults(t, s)
			r, err := s.copy()
			s.dst[0].o.object.(*fakePipe).readAll()
			checkStable(t, s, reader, before, r, err)
		}))
	}
}

func checkStable(t *rapid.T, s *scene, reader *fakeReader, before []byte, r Report, err error) {
	lost := errors.Is(err, ErrLeaseLost)
	if lost && r.Lease != LeaseLost || err == nil && r.Lease == LeaseLost {
		t.Errorf("the lease is %v and the error %v", r.Lease, err)
	}
	if wrong := s.untruthful(err); wrong != "" && !lost {
		t.Error(wrong)
	}
	if r.Lease != LeaseLost && !bytes.HasPrefix(reader.arrived, reader.got) {
		t.Errorf("the reader got other bytes than came into its pipe; lease %v, error %v", r.Lease, err)
	}
	if int64(len(reader.arrived)) != r.Delivered {
		t.Errorf("%d bytes came, %d were delivered", len(reader.arrived), r.Delivered)
	}
	for i, b := range reader.arrived {
		if b != before[i] && b != before[i]^0xff {
			t.Fatalf("byte %d was never in the file", i)
		}
	}
	if (err == nil || lost) && r.Delivered != s.total() {
		t.Errorf("delivered %d bytes of %d", r.Delivered, s.total())
	}
	s.checkKernel(t)
}

func TestAStableCopyHoldsItsLeaseUntilTheReaderHasEverything(t *testing.T) {
	s, reader := stableScene(5)
	reader.wakes = s.k.clock.Add(10 * time.Second)
	s.writer(1e6)
	if r := s.mustCopy(t); r.Lease != LeaseHeld || r.LeaseErr != nil || r.By[Splice] != 5*page {
		t.Errorf("report %+v", r)
	}
	if s.k.clock.Before(reader.wakes) {
		t.Error("the copy ended before the reader had read")
	}
}

func TestWithoutALeaseAStableCopyReadsAndWrites(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EACCES, unix.EAGAIN, unix.EINVAL} {
		s, _ := stableScene(5)
		s.src.o.object.(*fakeFile).noLease = errno
		if r := s.mustCopy(t); r.Lease != LeaseRefused || r.LeaseErr != errno || r.By[ReadWrite] != 5*page {
			t.Errorf("%v: report %+v", errno, r)
		}
	}
}

func TestSpliceAloneDoesNotServeAStableCopyWithoutALeaseOrAPipe(t *testing.T) {
	s, _ := stableScene(5)
	s.options.Method = Splice
	s.src.o.object.(*fakeFile).noLease = unix.EACCES
	r, err := s.copy()
	if u, ok := err.(*UnservedError); !ok || u.Errno != ErrNoLease || r.Delivered != 0 || r.LeaseErr != unix.EACCES {
		t.Errorf("without a lease: %v, %+v", err, r)
	}

	s, _ = stableScene(5)
	s.options.Method = Splice
	s.fail("pipe", nobody, fault{errno: unix.EMFILE})
	r, err = s.copy()
	if u, ok := err.(*UnservedError); !ok || u.Errno != unix.EMFILE || r.Delivered != 0 {
		t.Errorf("without a private pipe: %v, %+v", err, r)
	}
}

func TestAWriterIsLetInOnceWhatIsOnItsWayIsRead(t *testing.T) {
	s, reader := stableScene(8)
	want := content(0, 8*page)
	reader.wakes = s.k.clock.Add(3 * time.Second)
	s.k.leaseTime = 4 * time.Second // the reader is in time
	s.writer(13)
	r, err := s.copy()
	if err != nil || r.Lease != LeaseBroken {
		t.Errorf("lease %v, error %v", r.Lease, err)
	}
	if r.By[Splice] == 0 || r.By[ReadWrite] == 0 || r.Delivered != 8*page {
		t.Errorf("by method %d, want some by splice and the rest by read and write", r.By)
	}
	if !bytes.HasPrefix(reader.arrived, reader.got) || !bytes.HasPrefix(reader.got, want[:r.By[Splice]]) {
		t.Error("the writer changed what was on its way")
	}
	if waited := s.k.clock.Sub(reader.wakes); waited > time.Second {
		t.Errorf("the writer waited for %v after the reader had read", waited)
	}
	s.checkKernel(t)
}

func TestAWriterThatComesWhileTheReaderReadsTheLastIsNoticed(t *testing.T) {
	s, reader := stableScene(2)
	reader.wakes = s.k.clock.Add(time.Minute)
	sleep := s.copier.kernel.sleep
	s.copier.kernel.sleep = func(d time.Duration) {
		reader.wakes = time.Time{}
		s.writer(0)
		sleep(d)
	}
	if r := s.mustCopy(t); r.Lease != LeaseBroken {
		t.Errorf("lease %v", r.Lease)
	}
}

func TestALeaseThatTheReaderOutlastsIsSaidToBeLost(t *testing.T) {
	s, reader := stableScene(8)
	reader.wakes = s.k.clock.Add(time.Minute)
	s.k.leaseTime = 5 * time.Second
	s.writer(13)
	r, err := s.copy()
	var read *ReadError
	if r.Lease != LeaseLost || !errors.As(err, &read) || read.Err != ErrLeaseLost {
		t.Errorf("lease %v, error %v", r.Lease, err)
	}
	if r.Delivered != 8*page {
		t.Errorf("delivered %d bytes, want the rest as by a plain copy", r.Delivered)
	}
	s.checkKernel(t)
}

func TestALeaseHasToOutlastOnlyWhatTheReadersOwnPipeHolds(t *testing.T) {
	s, reader := stableScene(200)
	s.k.biggestPipe = 64 * page // what is in the private pipe is taken back
	reader.every = 300 * time.Millisecond
	s.k.leaseTime = time.Second
	s.writer(20)
	r, err := s.copy()
	if err != nil || r.Lease != LeaseBroken || r.Delivered != 200*page {
		t.Errorf("lease %v, error %v, delivered %d", r.Lease, err, r.Delivered)
	}
	underLease := reader.arrived[:64*page] // what the first fill took
	if !bytes.HasPrefix(reader.arrived, reader.got) || !bytes.Equal(underLease, content(0, 64*page)) {
		t.Error("the writer changed what was on its way")
	}
	s.checkKernel(t)
}

func TestAPageThatCannotBeHadUnderALeaseIsAReadError(t *testing.T) {
	for errno, want := range map[unix.Errno]error{unix.ENODATA: ErrTruncated, unix.EIO: unix.EIO} {
		s, _ := stableScene(8) // the reader's pipe refuses: what is held is read
		s.fail("splice out", theSink, fault{}, fault{errno: unix.EIO})
		s.fail("read", nobody, fault{errno: errno})
		r, err := s.copy()
		if e, ok := err.(*ReadError); !ok || e.Err != want || r.Delivered != 2*page {
			t.Errorf("spilled, %v: %v, delivered %d", errno, err, r.Delivered)
		}
		s.checkKernel(t)

		s, reader := stableScene(8) // a writer comes: what is held is taken back
		s.k.biggestPipe = 4 * page
		reader.every = time.Second
		s.writer(13)
		s.fail("read", nobody, fault{errno: errno})
		r, err = s.copy()
		if e, ok := err.(*ReadError); !ok || e.Err != want || r.Lease != LeaseBroken {
			t.Errorf("taken back, %v: %v, lease %v", errno, err, r.Lease)
		}
		s.checkKernel(t)
	}
}

func TestNoSpliceBlocksUnderALease(t *testing.T) {
	s, _ := stableScene(20)
	splice := s.copier.kernel.splice
	s.copier.kernel.splice = func(in, out place, n, flags int) (int, error) {
		if out.fd == s.dst[0].FD && flags != unix.SPLICE_F_NONBLOCK {
			t.Errorf("splice into the reader's pipe with flags %#x", flags)
		}
		return splice(in, out, n, flags)
	}
	s.mustCopy(t)
}

func TestAReaderThatHasGoneIsNotWaitedForWithALease(t *testing.T) {
	s, reader := stableScene(8)
	reader.leaves = page
	start := s.k.clock
	_, err := s.copy()
	var write *WriteError
	if !errors.As(err, &write) || write.Err != unix.EPIPE {
		t.Errorf("error %v", err)
	}
	if waited := s.k.clock.Sub(start); waited > time.Second {
		t.Errorf("waited for %v", waited)
	}
	s.checkKernel(t)
}

func TestAStableCopyWithoutAPrivatePipeReadsAndWrites(t *testing.T) {
	s, _ := stableScene(5)
	s.fail("pipe", nobody, fault{errno: unix.EMFILE})
	r := s.mustCopy(t)
	want := Fallback{From: Splice, To: ReadWrite, Err: unix.EMFILE, Count: 1}
	if len(r.Fallbacks) != 1 || r.Fallbacks[0] != want {
		t.Errorf("fallbacks %+v, want %+v", r.Fallbacks, want)
	}
}

func TestAStableCopyByAMethodThatCopiesNeedsNoLease(t *testing.T) {
	for _, m := range []Method{Mmap, ReadWrite} {
		s, _ := stableScene(5)
		s.options.Method = m
		if r := s.mustCopy(t); r.By[m] != 5*page || r.Lease != LeaseNone {
			t.Errorf("%v: report %+v", m, r)
		}
	}
	s, _ := stableScene(5)
	s.options.Method = Sendfile
	if _, err := s.copy(); *(err.(*UnservedError)) != (UnservedError{Method: Sendfile, Src: Regular, Dst: Pipe}) {
		t.Errorf("%v", err)
	}
}

func TestOnlyARegularFileOnItsWayIntoAPipeIsLeased(t *testing.T) {
	s := newScene()
	s.file(Regular, 5*page, 0)
	s.toFile(Regular, 0, 0, 0)
	s.options.Stable = true
	if r := s.mustCopy(t); r.Lease != LeaseNone || s.k.calls["F_SETLEASE"] != 0 {
		t.Errorf("lease %v, calls %v", r.Lease, s.k.calls)
	}
}
