package splice

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func times(n int, f fault) []fault {
	var fs []fault
	for range n {
		fs = append(fs, f)
	}
	return fs
}

func TestACallThatASignalInterruptedIsMadeAgain(t *testing.T) {
	for m := Reflink; m <= ReadWrite; m++ {
		s := fileToFile(unix.XFS_SUPER_MAGIC, m)
		for _, f := range faulty {
			if f.signal {
				s.fail(f.call, f.who, times(3, fault{errno: unix.EINTR})...)
			}
		}
		if r := s.mustCopy(t); r.By[m] != 20*page {
			t.Errorf("%v: %v bytes by each method", m, r.By)
		}
	}
}

func TestACountOfMinusOneBesideAnErrorIsNotAdded(t *testing.T) {
	s := newScene()
	s.toHole(Socket, 0) // which can be read from as little as written to
	s.dst[0].o.object.(*fakeHole).full, s.dst[0].o.object.(*fakeHole).err = 0, unix.EIO
	sys, fd, p := &system{kernel: s.copier.kernel}, s.dst[0].FD, []byte("x")
	if n, err := s.k.read(fd, p); n != -1 || err == nil {
		t.Fatalf("the fake kernel says %d, %v", n, err)
	}
	for name, call := range map[string]func() (int, error){
		"read":  func() (int, error) { return sys.read(fd, p) },
		"write": func() (int, error) { return sys.write(fd, p) },
		"splice": func() (int, error) {
			s.fail("splice out", theSink, fault{errno: unix.EIO})
			return sys.splice(own(s.k.addPrivate(&fakePipe{k: s.k}, nobody, Pipe, 0).fd), own(fd), 1, 0)
		},
		"sendfile": func() (int, error) {
			s.fail("sendfile", either, fault{errno: unix.EIO})
			return sys.sendfile(fd, own(fd), 1)
		},
		"copy_file_range": func() (int, error) {
			s.fail("copy_file_range", either, fault{errno: unix.EIO})
			return sys.copyFileRange(own(fd), own(fd), 1)
		},
	} {
		if n, err := call(); n != 0 || err != unix.EIO && err != unix.EBADF {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestANonblockingSourceIsWaitedFor(t *testing.T) {
	for _, m := range []Method{Splice, ReadWrite} {
		s := newScene()
		s.stream(Pipe, unix.O_NONBLOCK, page, page, page).dry = []bool{true, true, true}
		s.toHole(Socket, 0)
		s.options.Method = m
		s.mustCopy(t) // the fake kernel insists on poll, on the source, for reading
		if s.k.calls["poll"] != 3 {
			t.Errorf("%v: calls %v", m, s.k.calls)
		}
	}
}

func TestANonblockingSinkIsWaitedFor(t *testing.T) {
	for _, m := range []Method{Splice, Sendfile, Mmap, ReadWrite} {
		s := newScene()
		s.file(Regular, 20*page, 0)
		s.toPipe(unix.O_NONBLOCK, 2)
		s.options.Method = m
		s.mustCopy(t)
		if s.k.calls["poll"] < 9 {
			t.Errorf("%v: calls %v", m, s.k.calls)
		}
	}
}

func TestADescriptorThatPollWronglyCallsReadyDoesNotCostACPU(t *testing.T) {
	s := newScene()
	s.stream(Socket, unix.O_NONBLOCK, 100, 100)
	s.toHole(Socket, unix.O_NONBLOCK)
	lies := times(patience+5, fault{errno: unix.EAGAIN})
	s.fail("splice in", source, append(append(lies, fault{}), lies...)...)
	s.mustCopy(t)
	if s.k.naps != 10 {
		t.Errorf("%d naps, want 5 after %d polls in vain, and 5 again after a byte has moved", s.k.naps, patience)
	}
}

func TestPollsOwnErrorIsThatOfTheDescriptor(t *testing.T) {
	s := newScene()
	s.stream(Socket, unix.O_NONBLOCK, 100)
	s.toHole(Socket, unix.O_NONBLOCK)
	s.fail("splice in", source, fault{errno: unix.EAGAIN})
	s.fail("poll", source, fault{errno: unix.ENOMEM})
	if _, err := s.copy(); *(err.(*ReadError)) != (ReadError{unix.ENOMEM}) {
		t.Errorf("%v", err)
	}
	s = newScene()
	s.stream(Socket, unix.O_NONBLOCK, 100)
	s.toHole(Socket, unix.O_NONBLOCK)
	s.fail("splice out", theSink, fault{errno: unix.EAGAIN})
	s.fail("poll", theSink, fault{errno: unix.ENOMEM})
	if _, err := s.copy(); *(err.(*WriteError)) != (WriteError{unix.ENOMEM}) {
		t.Errorf("%v", err)
	}
}

// A socket with a time limit of its own (SO_RCVTIMEO) says EAGAIN, and means it.
func TestEAGAINOfABlockingDescriptorIsFinal(t *testing.T) {
	for _, c := range []struct {
		call string
		who  party
		m    Method
	}{{"splice in", source, Splice}, {"read", source, ReadWrite}, {"splice out", theSink, Splice}, {"write", theSink, ReadWrite}} {
		s := newScene()
		s.stream(Socket, 0, 100)
		s.toHole(Socket, 0)
		s.options.Method = c.m
		s.fail(c.call, c.who, times(2, fault{errno: unix.EAGAIN})...)
		r, err := s.copy()
		if !errors.Is(err, unix.EAGAIN) || s.k.calls["poll"] > 0 {
			t.Errorf("%s: %v, calls %v", c.call, err, s.k.calls)
		}
		s.checkCopy(t, r, err)
	}
}

// Another process may set and clear O_NONBLOCK, so that a descriptor is blocking
// again by the time it is looked at.
func TestOneEAGAINOfABlockingDescriptorIsRepeated(t *testing.T) {
	for _, m := range []Method{Splice, ReadWrite} {
		s := newScene()
		s.stream(Socket, 0, 100)
		s.toHole(Socket, 0)
		s.options.Method = m
		for _, c := range []site{{"splice in", source}, {"read", source}, {"splice out", theSink}, {"write", theSink}} {
			s.fail(c.call, c.who, fault{errno: unix.EAGAIN})
		}
		s.mustCopy(t)
	}
}

func TestASinkOfAFanOutThatTimesOutFails(t *testing.T) {
	for call, who := range map[string]party{"tee": theSink, "splice out": theSink + 1} {
		s := fanScene(20)
		s.toPipe(0, 4)
		s.toHole(Socket, 0)
		s.fail(call, who, times(2, fault{errno: unix.EAGAIN})...)
		sinks, _ := s.mustTee(t, int(who-theSink))
		if !errors.Is(sinks[who-theSink].Err, unix.EAGAIN) {
			t.Errorf("%s: %v", call, sinks[who-theSink].Err)
		}
	}
}
