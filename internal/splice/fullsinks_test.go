package splice_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

func TestFullFilesystemsHoldAnExactPrefix(t *testing.T) {
	for _, fs := range []string{"tmpfs", "ext4", "overlay"} {
		for _, from := range []string{"regular file", "pipe"} {
			for _, m := range methods {
				t.Run(fs+" from "+from+" by "+m.String(), func(t *testing.T) {
					s := newStage(t, t.TempDir(), "", "")
					s.sinkDir = testfs.MountSized(t, fs, 4<<20)
					defer s.end()
					src, _ := sourceNamed(from).open(s, text, 0)
					dst := s.emptyFile("sink")
					done := s.start(dst, src, splice.Options{Method: m, Preallocate: true})()
					if refused(t, done, !mustServe(m, from, "regular file") || m == splice.CopyFileRange) {
						return
					}
					s.expectFull(done, dst)
				})
			}
		}
	}
}

// expectFull: the sink has taken what it could, and the report says how much.
func (s *stage) expectFull(done outcome, dst int) {
	s.Helper()
	var failed *splice.WriteError
	if !errors.As(done.err, &failed) || failed.Err != unix.ENOSPC {
		s.Errorf("%v, want no space left on device", done.err)
	}
	n := done.report.Delivered
	if n < 1<<20 || n >= int64(len(text)) || !bytes.Equal(s.content(dst), text[:n]) {
		s.Errorf("the sink's %d bytes are not the %d delivered", len(s.content(dst)), n)
	}
}

func TestASmallBlockDeviceHoldsAnExactPrefix(t *testing.T) {
	for _, m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src := s.textFile("source", len(text))
			device := testfs.Block(t, 1<<20)
			dst := s.open(device, unix.O_RDWR)
			done := s.start(dst, src, splice.Options{Method: m})()
			if refused(t, done, !mustServe(m, "regular file", "block device")) {
				return
			}
			var failed *splice.WriteError
			if !errors.As(done.err, &failed) || failed.Err != unix.ENOSPC || done.report.Delivered != 1<<20 {
				t.Errorf("%v, %+v", done.err, done.report)
			}
			if got, _ := os.ReadFile(device); !bytes.Equal(got, text[:1<<20]) {
				t.Error("the device holds something else")
			}
		})
	}
}

func TestDevFullSaysThatThereIsNoSpace(t *testing.T) {
	for _, from := range []string{"regular file", "pipe", "TCP socket", "terminal"} {
		for _, m := range methods {
			t.Run("from "+from+" by "+m.String(), func(t *testing.T) {
				s := newStage(t, t.TempDir(), "", "")
				defer s.end()
				src, _ := sourceNamed(from).open(s, text[:65537], 0)
				done := s.start(s.open("/dev/full", unix.O_WRONLY), src, splice.Options{Method: m})()
				var failed *splice.WriteError
				var unserved *splice.UnservedError
				switch {
				case errors.As(done.err, &unserved) && m != splice.Auto && m != splice.ReadWrite:
				case !errors.As(done.err, &failed) || failed.Err != unix.ENOSPC:
					t.Errorf("%v, want no space left on device", done.err)
				}
				if done.report.Delivered != 0 {
					t.Errorf("%+v", done.report)
				}
			})
		}
	}
}
