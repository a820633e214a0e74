package splice_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

// Some versions of make(1) set O_APPEND on the log or terminal that they share
// with everybody, whenever they like.
func TestAppendingSetBySomebodyElseAfterTheLookIsAFallback(t *testing.T) {
	testfs.NotOnFUSE(t)
	for _, c := range []struct {
		method   splice.Method
		from, to splice.Method // the fallback of Auto
	}{
		{method: splice.Auto, from: splice.Splice, to: splice.Sendfile},
		{method: splice.Splice}, {method: splice.Sendfile}, {method: splice.CopyFileRange},
	} {
		t.Run(c.method.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
			unix.Write(dst, []byte("before\n"))
			unix.Seek(dst, 0, unix.SEEK_SET)
			from, to := s.describe(src), s.describe(dst)
			s.setAppend(dst)
			copier := splice.New()
			defer copier.Close()
			r, err := copier.Copy(to, from, splice.Options{Method: c.method})
			if c.method != splice.Auto {
				if _, ok := err.(*splice.UnservedError); !ok {
					t.Errorf("%v, %+v", err, r)
				}
				return
			}
			s.must(err)
			if len(r.Fallbacks) != 2 || r.Fallbacks[0].From != c.from || r.Fallbacks[0].To != c.to {
				t.Errorf("fallbacks %v", r.Fallbacks)
			}
			if got := s.content(dst); !bytes.Equal(got, append([]byte("before\n"), text...)) {
				t.Errorf("%d bytes, the first difference is at %d", len(got), difference(got, text))
			}
		})
	}
}

// In the middle of a copy nothing is lost and nothing is written twice: what
// is in the private pipe by then is delivered.
func TestAppendingSetBySomebodyElseMidwayLosesNothing(t *testing.T) {
	testfs.NotOnFUSE(t)
	for _, from := range []string{"regular file", "pipe"} {
		t.Run(from, func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src, _ := sourceNamed(from).open(s, text, 0)
			dst := s.emptyFile("sink")
			r := s.copied(dst, src, splice.Options{Progress: func(int64) error {
				s.setAppend(dst)
				return nil
			}})
			if len(r.Fallbacks) == 0 || r.By[splice.Splice] == 0 || r.By[splice.ReadWrite] == 0 {
				t.Errorf("%+v", r)
			}
			if got := s.content(dst); !bytes.Equal(got, text) {
				t.Errorf("%d bytes, the first difference is at %d", len(got), difference(got, text))
			}
		})
	}
}

// Two writers of one log: appending is atomic for each write.
func TestAppendersDoNotOverwriteEachOther(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	name := filepath.Join(s.dir, "log")
	const size = 1 << 20
	var done []func() outcome
	for _, source := range []string{"a", "b"} {
		s.must(os.WriteFile(filepath.Join(s.dir, source), bytes.Repeat([]byte(source), size), 0o644))
		src := s.open(filepath.Join(s.dir, source), unix.O_RDONLY)
		dst := s.open(name, unix.O_CREAT|unix.O_WRONLY|unix.O_APPEND)
		done = append(done, s.start(dst, src, splice.Options{}))
	}
	for _, wait := range done {
		s.must(wait().err)
	}
	got, err := os.ReadFile(name)
	s.must(err)
	if a, b := bytes.Count(got, []byte("a")), bytes.Count(got, []byte("b")); a != size || b != size {
		t.Errorf("%d and %d bytes of %d arrived", a, b, size)
	}
}

// O_APPEND concerns writing. A log that is open for both is read from where
// its offset is.
func TestASourceOpenForAppendingKeepsItsOwnOffset(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	name := filepath.Join(s.dir, "log")
	s.must(os.WriteFile(name, text[:100_000], 0o644))
	src, dst := s.open(name, unix.O_RDWR|unix.O_APPEND), s.emptyFile("sink")
	c := splice.New()
	defer c.Close()
	from, to := s.describe(src), s.describe(dst)
	for range 2 {
		_, err := c.Copy(to, from, splice.Options{Limit: 30_000})
		s.must(err)
	}
	_, err := c.Tee([]*splice.Sink{{Descriptor: to}}, from, splice.TeeOptions{Limit: 30_000})
	s.must(err)
	if from.Offset != 90_000 || !bytes.Equal(s.content(dst), text[:90_000]) {
		t.Errorf("the offset is known as %d, want %d", from.Offset, 90_000)
	}
}

func (s *stage) setAppend(fd int) {
	s.Helper()
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	s.must(err)
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_APPEND)
	s.must(err)
}
