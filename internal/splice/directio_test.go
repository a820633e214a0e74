package splice_test

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

var onDisk = []string{"ext4", "xfs", "btrfs"}

func TestDirectCopiesFilesOfUnalignedSize(t *testing.T) {
	for _, fs := range onDisk {
		t.Run(fs, func(t *testing.T) {
			s := newStage(t, testfs.Shared(t, fs), "", "")
			defer s.end()
			const size = 3<<20 + 777
			src, dst := s.textFile("source", size), s.emptyFile("sink")
			r := s.copied(dst, src, splice.Options{Method: splice.Direct})
			if tail := r.By[splice.ReadWrite]; tail > 777 || tail+r.By[splice.Direct] != size || !bytes.Equal(s.content(dst), text[:size]) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestDirectCopiesBetweenUnalignedOffsets(t *testing.T) {
	for _, c := range []struct{ src, dst int64 }{{100, 100}, {4096 + 1, 8192 + 1}} {
		s := newStage(t, testfs.Shared(t, "ext4"), "", "")
		defer s.end()
		src, dst := s.textFile("source", 1<<20), s.emptyFile("sink")
		unix.Seek(src, c.src, unix.SEEK_SET)
		unix.Seek(dst, c.dst, unix.SEEK_SET)
		r := s.copied(dst, src, splice.Options{Method: splice.Direct})
		if !bytes.Equal(s.content(dst)[c.dst:], text[c.src:1<<20]) {
			t.Errorf("from %d to %d: something else arrived", c.src, c.dst)
		}
		if around := r.By[splice.ReadWrite]; around >= 2*4096 {
			t.Errorf("from %d to %d: %d bytes of %d through the page cache", c.src, c.dst, around, r.Delivered)
		}
	}
}

func TestDirectLeavesThePageCacheAlone(t *testing.T) {
	s := newStage(t, testfs.Shared(t, "ext4"), "", "")
	defer s.end()
	const size = 4 << 20
	src, dst := s.textFile("source", size), s.emptyFile("sink")
	s.must(unix.Fsync(src))
	s.eventually("a source that is not cached", func() bool { // a page that somebody holds for a moment stays
		s.must(unix.Fadvise(src, 0, 0, unix.FADV_DONTNEED))
		return s.resident(src, size) == 0
	})
	s.copied(dst, src, splice.Options{Method: splice.Direct})
	for name, fd := range map[string]int{"source": src, "sink": dst} {
		if n := s.resident(fd, size); n > 0 {
			t.Errorf("%d pages of the %s are in the page cache", n, name)
		}
	}
}

// The flag of a descriptor that was given would be shared with others.
func TestDirectDoesNotSetTheFlagOfTheDescriptorsGiven(t *testing.T) {
	s := newStage(t, testfs.Shared(t, "ext4"), "", "")
	defer s.end()
	src, dst := s.textFile("source", 1<<20), s.emptyFile("sink")
	seen := 0
	s.copied(dst, src, splice.Options{Method: splice.Direct, Progress: func(int64) error {
		seen |= s.describe(src).Flags | s.describe(dst).Flags
		return nil
	}})
	if seen&unix.O_DIRECT != 0 {
		t.Error("O_DIRECT was set")
	}
}

// A partial write at the end of a full disk must not be counted whole.
func TestDirectToAFullDiskDeliversAnExactPrefix(t *testing.T) {
	s := newStage(t, testfs.Shared(t, "ext4"), "", "")
	s.sinkDir = testfs.MountSized(t, "ext4", 4<<20)
	defer s.end()
	src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
	done := s.start(dst, src, splice.Options{Method: splice.Direct})()
	s.expectFull(done, dst)
}

// resident is the number of pages of a file in the page cache.
func (s *stage) resident(fd, size int) int {
	s.Helper()
	window, err := unix.Mmap(fd, 0, size, unix.PROT_READ, unix.MAP_SHARED)
	s.must(err)
	defer unix.Munmap(window)
	pages := make([]byte, size/page)
	s.must(mincore(window, pages))
	n := 0
	for _, p := range pages {
		n += int(p & 1)
	}
	return n
}
