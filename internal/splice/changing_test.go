package splice_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// Sources that change while they are copied.

// A file that loses its end has the bytes delivered that were under way, and
// then ends, or says that it was truncated. Nothing is made up.
func TestAFileThatIsTruncatedUnderAFullPipeDeliversAPrefix(t *testing.T) {
	for _, m := range []splice.Method{splice.Auto, splice.Splice, splice.Sendfile, splice.ReadWrite} {
		t.Run(m.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src, r, done := s.fullPipe(m)
			s.truncate(src, 0)
			got := s.gather(r)
			if o := done(); o.err != nil && !errors.Is(o.err, splice.ErrTruncated) {
				t.Errorf("%v, %+v", o.err, o.report)
			} else {
				s.closeSink()
				s.expectPrefix(got(), o.report.Delivered)
			}
		})
	}
}

// The pages of a mapping go away with the file, and write(2) says EFAULT.
func TestAMappedFileThatIsTruncatedSaysSo(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	src, r, done := s.fullPipe(splice.Mmap)
	s.truncate(src, 0)
	got := s.gather(r)
	o := done()
	var failed *splice.ReadError
	if !errors.As(o.err, &failed) || failed.Err != splice.ErrTruncated {
		t.Errorf("%v, want %v", o.err, splice.ErrTruncated)
	}
	s.closeSink()
	s.expectPrefix(got(), o.report.Delivered)
}

// fullPipe copies text into a pipe that is not read, and returns when the copy
// is stuck there. The source is open for writing, so no lease is to be had.
func (s *stage) fullPipe(m splice.Method) (src, r int, done func() outcome) {
	s.Helper()
	s.textFile("source", len(text))
	src = s.open(filepath.Join(s.dir, "source"), unix.O_RDWR)
	r, w := s.pipe()
	s.owns(r, nil)
	s.sink = w
	s.enders = append(s.enders, s.closeSink)
	done = s.start(w, src, splice.Options{Method: m})
	s.eventually("a full pipe", func() bool { return s.unread(r) == 65536 })
	time.Sleep(20 * time.Millisecond)
	return src, r, done
}

func (s *stage) truncate(fd int, size int64) {
	s.Helper()
	s.must(unix.Ftruncate(fd, size))
}

func (s *stage) expectPrefix(got []byte, delivered int64) {
	s.Helper()
	if int64(len(got)) != delivered || !bytes.HasPrefix(text, got) || len(got) < 65536 || len(got) == len(text) {
		s.Errorf("%d bytes arrived, %d are reported; the first difference is at %d", len(got), delivered, difference(got, text))
	}
}

func TestACopyOfAGrowingFileEnds(t *testing.T) {
	for _, m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src, dst := s.textFile("source", 1<<20), s.emptyFile("sink")
			var stop atomic.Bool
			grown := s.grow(filepath.Join(s.dir, "source"), &stop)
			done := s.start(dst, src, splice.Options{Method: m, Preallocate: true})()
			stop.Store(true)
			<-grown
			if refused(t, done, m == splice.Reflink) {
				return
			}
			all, err := os.ReadFile(filepath.Join(s.dir, "source"))
			s.must(err)
			n := done.report.Delivered
			if done.err != nil || n < 1<<20 || !bytes.Equal(s.content(dst), all[:n]) {
				t.Errorf("%v, %+v", done.err, done.report)
			}
		})
	}
}

// grow appends a line every tenth of a millisecond, for a second or two: a copy
// that is slower than that would never see the end.
func (s *stage) grow(name string, stop *atomic.Bool) <-chan struct{} {
	done := make(chan struct{})
	log := s.open(name, unix.O_WRONLY|unix.O_APPEND)
	go func() {
		defer close(done)
		for i := 0; i < 1<<20 && !stop.Load(); i += 100 {
			unix.Write(log, text[i:i+100])
			time.Sleep(100 * time.Microsecond)
		}
	}()
	return done
}

// What was described is not what is there any more: the file has shrunk or
// grown between the look and the copy.
func TestASizeThatIsOutOfDateIsNotBelieved(t *testing.T) {
	for _, size := range []int{0, 1, 70_000, 3 << 20} {
		for _, m := range methods {
			s := newStage(t, t.TempDir(), "", "")
			src, dst := s.textFile("source", 1<<20), s.emptyFile("sink")
			from, to := s.describe(src), s.describe(dst)
			s.must(os.WriteFile(filepath.Join(s.dir, "source"), text[:size], 0o644))
			c := splice.New()
			r, err := c.Copy(to, from, splice.Options{Method: m, Preallocate: true})
			c.Close()
			var unserved *splice.UnservedError
			if !errors.As(err, &unserved) && (err != nil || r.Delivered != int64(size) || !bytes.Equal(s.content(dst), text[:size])) {
				t.Errorf("%v, 1 MiB became %d bytes: %v, %+v", m, size, err, r)
			}
			s.end()
		}
	}
}
