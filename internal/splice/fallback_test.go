package splice

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhereAContainerAllowsReadAndWriteOnlyEverythingIsCopied(t *testing.T) {
	for _, e := range []unix.Errno{unix.EPERM, unix.ENOSYS} {
		for _, from := range []Kind{Regular, Block, Character, Pipe, Socket, Terminal, Other} {
			s := newScene()
			if from == Regular || from == Block {
				s.file(from, 20*page, 0).fs = unix.BTRFS_SUPER_MAGIC
			} else {
				s.stream(from, 0, page, 100, page)
			}
			s.toFile(Regular, 0, 0, 0).fs = unix.BTRFS_SUPER_MAGIC
			s.refuseAll(e)
			if r := s.mustCopy(t); r.By[ReadWrite] != r.Delivered {
				t.Errorf("%v from %s: by method %v", e, from.Describe(), r.By)
			}
		}
	}
}

func TestWhereAContainerAllowsReadAndWriteOnlyEverySinkIsWrittenTo(t *testing.T) {
	s := fanScene(10)
	s.toPipe(0, 3)
	s.toFile(Regular, 0, 0, 0)
	s.toHole(Socket, 0)
	s.refuseAll(unix.EPERM)
	if _, r := s.mustTee(t); r.By[ReadWrite] != 30*page {
		t.Errorf("by method %v", r.By)
	}
}

// refuseAll lets every call fail that has a fallback.
func (s *scene) refuseAll(e unix.Errno) {
	for _, f := range faulty {
		switch f.call {
		case "read", "write", "poll", "fstat", "pread", "pwrite":
			continue
		}
		for who := f.who; who <= f.who || f.who == theSink && int(who) <= len(s.dst); who++ {
			s.fail(f.call, who, times(100, fault{errno: e})...)
		}
	}
}

func TestReadWriteMakesNoOtherCalls(t *testing.T) {
	s := fileToFile(unix.XFS_SUPER_MAGIC, ReadWrite)
	s.mustCopy(t)
	for call := range s.k.calls {
		if call != "read" && call != "write" && call != "fstatfs" {
			t.Errorf("it called %s", call)
		}
	}
}

func TestASealedOrImmutableTargetIsNamedByWrite(t *testing.T) {
	s := fileToFile(unix.XFS_SUPER_MAGIC, Auto)
	s.refuseAll(unix.EPERM)
	s.fail("write", theSink, fault{errno: unix.EPERM})
	r, err := s.copy()
	if w, ok := err.(*WriteError); !ok || w.Err != unix.EPERM || r.Delivered != 0 {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
	s.checkCopy(t, r, err)
}

func TestASwapFileIsNamedByReadOrWrite(t *testing.T) {
	s := fileToFile(unix.XFS_SUPER_MAGIC, Auto)
	s.refuseAll(unix.ETXTBSY)
	s.fail("read", source, fault{errno: unix.EPERM})
	r, err := s.copy()
	if e, ok := err.(*ReadError); !ok || e.Err != unix.EPERM {
		t.Errorf("%v", err)
	}
	s.checkCopy(t, r, err)
}

func TestEveryMethodOfAPlanIsTriedInOrderAndNoted(t *testing.T) {
	s := fileToFile(unix.XFS_SUPER_MAGIC, Auto)
	s.fail("clone", either, fault{errno: unix.EXDEV})
	s.fail("copy_file_range", either, fault{most: page}, fault{errno: unix.ENOTTY})
	s.fail("splice in", source, fault{most: page}, fault{errno: unix.EINVAL})
	s.fail("sendfile", either, fault{most: page}, fault{errno: unix.EOVERFLOW})
	r := s.mustCopy(t)
	want := []Fallback{
		{Reflink, CopyFileRange, 0, unix.EXDEV, 1},
		{CopyFileRange, Splice, page, unix.ENOTTY, 1},
		{Splice, Sendfile, 2 * page, unix.EINVAL, 1},
		{Sendfile, ReadWrite, 3 * page, unix.EOVERFLOW, 1},
	}
	if len(r.Fallbacks) != len(want) {
		t.Fatalf("fallbacks %+v", r.Fallbacks)
	}
	for i := range want {
		if r.Fallbacks[i] != want[i] {
			t.Errorf("fallback %+v, want %+v", r.Fallbacks[i], want[i])
		}
	}
	if r.By[ReadWrite] != 17*page {
		t.Errorf("by method %v", r.By)
	}
}
