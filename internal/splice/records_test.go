package splice

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// Records of these lengths: small, longer than a small pipe, than a buffer of
// --serve, and than any buffer.
var recordLengths = []int{1, 100, 3 * page, 20 << 10, 100 << 10, bufferSize + 1, 700 << 10, 5}

// recordScene has a socket of records as its source.
func recordScene(lengths ...int) (*scene, *fakeStream) {
	s := newScene()
	st := s.stream(Socket, 0, lengths...)
	st.records, s.src.Records = true, true
	return s, st
}

// A record that is cut is lost in part, which the fake kernel notes as a foul.
func TestRecordsAreReadWhole(t *testing.T) {
	for name, set := range map[string]func(*scene){
		"plain":        func(*scene) {},
		"small pipes":  func(s *scene) { s.k.biggestPipe, s.copier.PipeSize = page, 1 },
		"small buffer": func(s *scene) { s.copier.BufferSize, s.copier.buf = 16<<10, nil },
		"rate limit":   func(s *scene) { s.options.Limiter, s.k.budget = NewLimiter(20<<10), 1<<30 },
		"nonblocking":  func(s *scene) { s.src.o.flags = unix.O_NONBLOCK },
		"in pipes":     func(s *scene) { s.options.Method = ReadWrite },
	} {
		s, _ := recordScene(recordLengths...)
		h := s.toHole(Socket, 0)
		set(s)
		r, err := s.copy()
		if wrong := difference(h.got, content(0, s.src.length)); wrong != "" || err != nil || r.Delivered != s.src.length {
			t.Errorf("%s: %v, %s", name, err, wrong)
		}
		s.checkKernel(t)
	}
}

func TestRecordsAreNotSpliced(t *testing.T) {
	s, _ := recordScene(10)
	s.toHole(Socket, 0)
	s.options.Method = Splice
	if _, err := s.copy(); !unsuited(err) {
		t.Error(err)
	}
	s = newScene()
	s.stream(Pipe, 0, 10)
	s.toHole(Socket, 0)
	s.dst[0].Records, s.options.Method = true, Splice
	if _, err := s.copy(); !unsuited(err) {
		t.Error(err)
	}
}

// Each record stays one, and what has no records is cut into pieces that a
// datagram may have.
func TestRecordsAreWrittenWhole(t *testing.T) {
	s, _ := recordScene(100, 40<<10, 7)
	s.toHole(Socket, 0)
	s.dst[0].Records = true
	var wrote []int
	write := s.copier.kernel.write
	s.copier.kernel.write = func(fd int, p []byte) (int, error) {
		wrote = append(wrote, len(p))
		return write(fd, p)
	}
	s.mustCopy(t)
	if len(wrote) != 3 || wrote[1] != 40<<10 {
		t.Errorf("wrote records of %v bytes", wrote)
	}
	wrote = nil
	s.file(Regular, 100<<10, 0)
	s.dst[0].o.object.(*fakeHole).got = nil
	if _, err := s.copy(); err != nil {
		t.Error(err)
	}
	for _, n := range wrote {
		if n > recordPiece {
			t.Errorf("wrote records of %v bytes", wrote)
		}
	}
}

func TestRecordsAreBufferedTeedAndFilteredWhole(t *testing.T) {
	s, st := recordScene(recordLengths...)
	h := s.toHole(Socket, 0)
	r, err := s.copier.CopyBuffered(s.dst[0].Descriptor, s.src.Descriptor, Buffer{Size: 64 << 10}, Options{})
	if wrong := difference(h.got, content(0, st.consumed)); wrong != "" || err != nil || r.Delivered != s.src.length {
		t.Errorf("buffered: %v, %s", err, wrong)
	}
	s.checkKernel(t)

	s, _ = recordScene(recordLengths...)
	s.toPipe(0, 4)
	s.toFile(Regular, 0, 0, 0)
	s.mustTee(t)

	s, _ = recordScene(recordLengths...)
	h = s.toHole(Socket, 0)
	_, err = s.copier.Filter(s.dst[0].Descriptor, s.src.Descriptor, func(out, in []byte) ([]byte, []byte) {
		n := min(len(in), cap(out))
		return append(out, in[:n]...), in[n:]
	})
	if err != nil || !bytes.Equal(h.got, content(0, s.src.length)) {
		t.Errorf("filtered: %v, %d bytes", err, len(h.got))
	}
	s.checkKernel(t)
}
