package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

// cutWhileMapped copies a file by mmap, and cuts it to a size between the
// mapping and the write.
func cutWhileMapped(size, offset, to int64, leased bool) (*scene, Report, error) {
	s := newScene()
	f := s.file(Regular, size, 0)
	s.src.o.offset = offset
	s.src = s.describe(s.src.o)
	if !leased {
		f.noLease = unix.EACCES
	}
	s.toPipe(0, 1)
	s.options.Method = Mmap
	mapped := s.copier.kernel.mmap
	s.copier.kernel.mmap = func(fd int, offset int64, n int) ([]byte, error) {
		f.writers = append(f.writers, &fakeWriter{step: 1, change: func(f *fakeFile) { f.resize(to) }})
		return mapped(fd, offset, n)
	}
	r, err := s.copy()
	return s, r, err
}

func TestAMappedFileThatShrinksIsSaidToBeTruncated(t *testing.T) {
	for _, c := range []struct{ size, offset, to int64 }{
		{10 * page, 0, 5 * page},
		{10 * page, 0, 0},
		{10 * page, 100, page},     // the write fails before the page that is missing
		{10 * page, 0, 5*page + 7}, // the rest of that page is zeros
		{page, 0, page - 1},        // no page is missing
		{10 * page, 10*page - 5, 10*page - 6},
	} {
		s, r, err := cutWhileMapped(c.size, c.offset, c.to, false)
		if e, ok := err.(*ReadError); !ok || e.Err != ErrTruncated {
			t.Errorf("%+v: %v", c, err)
		}
		s.src.length = -1 // changes midway
		s.checkCopy(t, r, err)
	}
}

func TestALeaseKeepsAMappedFileFromShrinkingUntilItsWindowIsWritten(t *testing.T) {
	s, r, err := cutWhileMapped(10*page, 0, 5*page, true)
	if err != nil || r.Delivered != 10*page {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.src.start = 0
	if wrong := s.dst[0].differs(s.src, r.Delivered); wrong != "" {
		t.Error(wrong)
	}
	s.checkKernel(t)
}

func TestAMappedPageThatCannotBeReadIsAReadErrorOfTheDisk(t *testing.T) {
	s := newScene()
	f := s.file(Regular, 10*page, 0)
	f.bad, f.badErr = 4*page, unix.EIO
	s.toHole(Terminal, 0)
	s.options.Method = Mmap
	r, err := s.copy()
	if e, ok := err.(*ReadError); !ok || e.Err != unix.EIO || r.Delivered != 4*page {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkCopy(t, r, err)
}

func TestAFaultThatIsNotTheMappingsIsAWriteError(t *testing.T) {
	s := fileToFile(0, Mmap)
	s.fail("write", theSink, fault{most: page}, fault{errno: unix.ENOSPC})
	r, err := s.copy()
	if e, ok := err.(*WriteError); !ok || e.Err != unix.ENOSPC || r.Delivered != page {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkCopy(t, r, err)
}

func TestMappingsBeginAtPagesWhateverTheOffset(t *testing.T) {
	for _, offset := range []int64{1, page, chunk - 1} {
		s := newScene()
		s.file(Regular, chunk+page+3, 0)
		s.src.o.offset = offset
		s.src = s.describe(s.src.o)
		s.toHole(Socket, 0)
		s.options.Method = Mmap
		s.mustCopy(t) // the fake kernel insists on it
	}
}

func TestAFileWithoutMappingsIsSaid(t *testing.T) {
	for _, e := range []unix.Errno{unix.ENODEV, unix.ENOMEM, unix.EAGAIN, unix.EPERM} {
		s := fileToFile(0, Mmap)
		s.fail("mmap", source, fault{errno: e})
		r, err := s.copy()
		if u, ok := err.(*UnservedError); !ok || u.Errno != e {
			t.Errorf("%v: %v", e, err)
		}
		s.checkCopy(t, r, err)
	}
}
