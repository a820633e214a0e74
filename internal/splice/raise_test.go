package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

// raiseCase is a pipe of 16 pages that is given, which is asked for a size.
func raiseCase(t *testing.T, size int, biggest int, faults ...fault) (got int, k *fakeKernel) {
	t.Helper()
	s := newScene()
	s.k.biggestPipe = biggest
	p := s.toPipe(0, 16)
	s.fail("F_SETPIPE_SZ", nobody, faults...)
	got, err := raise(&system{kernel: s.copier.kernel}, s.dst[0].FD, size)
	if err != nil || got != p.room*page {
		t.Errorf("raised to %d (%v), but has %d", got, err, p.room*page)
	}
	for _, foul := range s.k.fouls {
		t.Error(foul)
	}
	return got, s.k
}

func TestAPipeIsRaised(t *testing.T) {
	if got, _ := raiseCase(t, 1<<20, 1<<20); got != 1<<20 {
		t.Errorf("to %d", got)
	}
}

func TestAPipeIsNeverLowered(t *testing.T) {
	for _, size := range []int{0, 1, page, 16*page - 1, 16 * page} {
		got, k := raiseCase(t, size, 1<<20)
		if got != 16*page || k.calls["F_SETPIPE_SZ"] != 0 {
			t.Errorf("asked for %d: %d, calls %v", size, got, k.calls)
		}
	}
}

func TestWhereALimitRefusesHalfIsAskedFor(t *testing.T) {
	if got, k := raiseCase(t, 1<<20, 256<<10); got != 256<<10 || k.calls["F_SETPIPE_SZ"] != 3 {
		t.Errorf("raised to %d, calls %v", got, k.calls)
	}
	if got, _ := raiseCase(t, 1<<20, 64<<10); got != 64<<10 {
		t.Errorf("raised to %d", got)
	}
	if got, _ := raiseCase(t, 1<<20, 1<<20, fault{errno: unix.ENOMEM}); got != 512<<10 {
		t.Errorf("without memory: raised to %d", got)
	}
}

func TestABusyPipeOrAnOldKernelIsAskedOnce(t *testing.T) {
	for _, e := range []unix.Errno{unix.EBUSY, unix.EINVAL} {
		if got, k := raiseCase(t, 1<<20, 1<<20, fault{errno: e}); got != 16*page || k.calls["F_SETPIPE_SZ"] != 1 {
			t.Errorf("%v: raised to %d, calls %v", e, got, k.calls)
		}
	}
}

func TestWhatIsNoPipeCannotBeRaised(t *testing.T) {
	s := newScene()
	s.toHole(Socket, 0)
	if got, err := raise(&system{kernel: s.copier.kernel}, s.dst[0].FD, 1<<20); err != unix.EBADF {
		t.Errorf("%d, %v", got, err)
	}
}

func TestARefusedPipeSizeIsAskedForAndNeverOverfilled(t *testing.T) {
	for _, biggest := range []int{page, 2 * page, 64 << 10, 1 << 20} {
		s := newScene()
		s.k.biggestPipe = biggest
		s.file(Regular, 1<<20+17, 0)
		s.toHole(Socket, 0)
		s.mustCopy(t)
		if want := (1<<20 + 17 + biggest - 1) / biggest; s.k.calls["splice out"] != want {
			t.Errorf("pipe of %d: drained %d times, want %d", biggest, s.k.calls["splice out"], want)
		}
	}
}
