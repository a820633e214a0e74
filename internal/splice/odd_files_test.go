package splice_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

// Regular files that are not quite.

// Holes are not the engine's business: they are bytes as others are. Only
// preallocation leaves such files alone.
func TestASparseFileIsCopiedByteForByte(t *testing.T) {
	for _, m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			const size = 4 << 20
			src, dst := s.open(filepath.Join(s.dir, "source"), unix.O_CREAT|unix.O_RDWR), s.emptyFile("sink")
			s.must(unix.Ftruncate(src, size))
			for _, at := range []int64{0, 1<<20 + 100, size - 777} {
				_, err := unix.Pwrite(src, text[:777], at)
				s.must(err)
			}
			done := s.start(dst, src, splice.Options{Method: m, Preallocate: true})()
			if refused(t, done, m == splice.Reflink) {
				return
			}
			if done.err != nil || done.report.Delivered != size || !bytes.Equal(s.content(dst), s.content(src)) {
				t.Errorf("%v, %+v", done.err, done.report)
			}
		})
	}
}

// Blocks are reserved beyond the sink's end, so that its size is true whenever
// somebody looks.
func TestPreallocationDoesNotShowInTheSize(t *testing.T) {
	s := newStage(t, testfs.Shared(t, "ext4"), "", "")
	defer s.end()
	src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
	var delivered int64
	s.copied(dst, src, splice.Options{Preallocate: true, Progress: func(n int64) error {
		st := s.describe(dst).Stat
		if delivered += n; st.Size != delivered {
			t.Errorf("the sink is %d bytes long after %d", st.Size, delivered)
		}
		if st.Blocks*512 < int64(len(text)) {
			t.Errorf("%d blocks are reserved", st.Blocks)
		}
		return nil
	}})
}

func TestAMemoryFileIsAFile(t *testing.T) {
	for _, m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src, dst := s.memoryFile(), s.memoryFile()
			_, err := unix.Pwrite(src, text, 0)
			s.must(err)
			done := s.start(dst, src, splice.Options{Method: m})()
			if refused(t, done, m == splice.Reflink) {
				return
			}
			if done.err != nil || !bytes.Equal(s.content(dst), text) {
				t.Errorf("%v, %+v", done.err, done.report)
			}
		})
	}
}

// Whichever way finds it out, write has the last word.
func TestASealedMemoryFileIsAWriteError(t *testing.T) {
	for _, m := range []splice.Method{splice.Auto, splice.ReadWrite, splice.Mmap} {
		s := newStage(t, t.TempDir(), "", "")
		defer s.end()
		src, dst := s.textFile("source", 1<<20), s.memoryFile()
		_, err := unix.FcntlInt(uintptr(dst), unix.F_ADD_SEALS, unix.F_SEAL_WRITE)
		s.must(err)
		done := s.start(dst, src, splice.Options{Method: m})()
		var failed *splice.WriteError
		if !errors.As(done.err, &failed) || failed.Err != unix.EPERM || done.report.Delivered != 0 {
			t.Errorf("%v: %v, %+v, want a write error, EPERM", m, done.err, done.report)
		}
	}
}

func (s *stage) memoryFile() int {
	s.Helper()
	return s.owns(unix.MemfdCreate("splice test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING))
}

// At the greatest offset copy_file_range says EFBIG, even with nothing to copy.
func TestNothingIsCopiedToTheGreatestOffsetWithoutAnError(t *testing.T) {
	for _, fs := range []string{"xfs", "btrfs", "tmpfs"} {
		for _, m := range methods {
			s := newStage(t, testfs.Shared(t, fs), "", "")
			src, dst := s.textFile("source", 100_000), s.emptyFile("sink")
			unix.Seek(src, 100_000, unix.SEEK_SET)
			_, err := unix.Seek(dst, math.MaxInt64, unix.SEEK_SET)
			s.must(err)
			done := s.start(dst, src, splice.Options{Method: m})()
			var unserved *splice.UnservedError
			if !errors.As(done.err, &unserved) && done.err != nil || done.report.Delivered != 0 {
				t.Errorf("%v on %s: %v, %+v", m, fs, done.err, done.report)
			}
			s.end()
		}
	}
}
