package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestACopyThatFindsNoPipeLeftReadsAndWrites(t *testing.T) {
	s := newScene()
	s.copier.Pool = NewPool(64<<10, 0)
	s.stream(Socket, unix.O_NONBLOCK, 100, 200)
	s.toHole(Socket, 0)
	r, err := s.copy()
	s.checkCopy(t, r, err)
	if err != nil || r.By[ReadWrite] != 300 || len(r.Fallbacks) != 1 || r.Fallbacks[0].Err != unix.ENFILE {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestAPipeIsLentOnlyWhileThereAreBytes(t *testing.T) {
	s := newScene()
	pool := NewPool(64<<10, 1)
	s.copier.Pool = pool
	st := s.stream(Socket, unix.O_NONBLOCK, 100, 200)
	st.dry = []bool{true, true}
	s.toHole(Socket, 0)
	waits := 0
	s.options.Wait = func(fd int, events int16, timeout int) (bool, error) {
		if waits++; len(pool.idle) != 1 {
			t.Error("the pipe is not in the pool while its copy waits for the source")
		}
		return s.wait(fd, events, timeout)
	}
	s.options.Progress = func(int64) error {
		if len(pool.idle) != 0 {
			t.Error("the pipe is in the pool while it is in use")
		}
		return nil
	}
	r, err := s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, s.options)
	if err != nil || r.By[Splice] != 300 || waits == 0 {
		t.Errorf("%v, %+v, %d waits", err, r, waits)
	}
	if s.k.calls["pipe"] != 1 {
		t.Errorf("%d pipes were made", s.k.calls["pipe"])
	}
	s.checkKernel(t)
}
