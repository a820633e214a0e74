package splice_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

// A copy within a filesystem that can share extents is a matter of metadata.
func TestWholeFilesShareTheirExtents(t *testing.T) {
	for _, fs := range []string{"xfs", "btrfs"} {
		t.Run(fs, func(t *testing.T) {
			s := newStage(t, testfs.Shared(t, fs), "", "")
			defer s.end()
			for _, o := range []splice.Options{{}, {Method: splice.Reflink}} {
				src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
				r := s.copied(dst, src, o)
				if r.By[splice.Reflink] != int64(len(text)) || r.Copied != 0 || !bytes.Equal(s.content(dst), text) {
					t.Errorf("%+v", r)
				}
				if extents := s.extents("sink"); !strings.Contains(extents, "shared") {
					t.Errorf("no shared extents:\n%s", extents)
				}
			}
		})
	}
}

// What shares the sink's descriptor may write to it between the look at it and
// the copy. Sharing all extents would replace that.
func TestWhatSomebodyElseHasWrittenMeanwhileIsNotReplaced(t *testing.T) {
	for _, fs := range []string{"xfs", "btrfs"} {
		t.Run(fs, func(t *testing.T) {
			s := newStage(t, testfs.Shared(t, fs), "", "")
			defer s.end()
			c := splice.New()
			defer c.Close()
			src, dst := s.describe(s.textFile("source", len(text))), s.describeInherited(s.emptyFile("sink"))
			if _, err := unix.Write(dst.FD, []byte("first\n")); err != nil {
				t.Fatal(err)
			}
			r, err := c.Copy(dst, src, splice.Options{})
			if got := s.content(dst.FD); err != nil || !bytes.Equal(got, append([]byte("first\n"), text...)) {
				t.Errorf("%v, %+v: %d bytes, beginning with %q", err, r, len(got), got[:6])
			}
		})
	}
}

func TestPartOfAFileIsLeftToCopyFileRange(t *testing.T) {
	for _, fs := range []string{"xfs", "btrfs"} {
		t.Run(fs, func(t *testing.T) {
			s := newStage(t, testfs.Shared(t, fs), "", "")
			defer s.end()
			src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
			unix.Seek(src, int64(page), unix.SEEK_SET)
			s.must(unix.Fsync(src))
			r := s.copied(dst, src, splice.Options{})
			if r.By[splice.CopyFileRange] != r.Delivered || len(r.Fallbacks) != 0 || !bytes.Equal(s.content(dst), text[page:]) {
				t.Errorf("%+v", r)
			}
			if extents := s.extents("sink"); !strings.Contains(extents, "shared") {
				t.Errorf("no shared extents:\n%s", extents)
			}
		})
	}
}

func TestNoOffloadGivesTheSinkBlocksOfItsOwn(t *testing.T) {
	for _, fs := range []string{"xfs", "btrfs"} {
		t.Run(fs, func(t *testing.T) {
			s := newStage(t, testfs.Shared(t, fs), "", "")
			defer s.end()
			src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
			r := s.copied(dst, src, splice.Options{NoOffload: true})
			if r.By[splice.Splice] != r.Delivered || !bytes.Equal(s.content(dst), text) {
				t.Errorf("%+v", r)
			}
			if extents := s.extents("sink"); strings.Contains(extents, "shared") {
				t.Errorf("shared extents:\n%s", extents)
			}
			for _, m := range []splice.Method{splice.Reflink, splice.CopyFileRange} {
				s.expectRefusal(dst, src, splice.Options{Method: m, NoOffload: true})
			}
		})
	}
}

func TestXFSThatCannotShareSaysSoAndIsCopied(t *testing.T) {
	s := newStage(t, testfs.Shared(t, "xfs-noreflink"), "", "")
	defer s.end()
	src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
	s.expectRefusal(dst, src, splice.Options{Method: splice.Reflink})
	r := s.copied(dst, src, splice.Options{})
	want := splice.Fallback{From: splice.Reflink, To: splice.CopyFileRange, Err: unix.EOPNOTSUPP, Count: 1}
	if len(r.Fallbacks) != 1 || r.Fallbacks[0] != want || !bytes.Equal(s.content(dst), text) {
		t.Errorf("%+v", r)
	}
}

// Where no filesystem shares extents, a pipe of a megabyte is the fastest.
func TestFilesOfOtherFilesystemsAreSpliced(t *testing.T) {
	for _, fs := range []string{"ext4", "tmpfs", "overlay"} {
		t.Run(fs, func(t *testing.T) {
			s := newStage(t, testfs.Shared(t, fs), "", "")
			defer s.end()
			src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
			r := s.copied(dst, src, splice.Options{Preallocate: true})
			if r.By[splice.Splice] != r.Delivered || len(r.Fallbacks) != 0 || !bytes.Equal(s.content(dst), text) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// copied copies everything without an error.
func (s *stage) copied(dst, src int, o splice.Options) splice.Report {
	s.Helper()
	done := s.start(dst, src, o)()
	s.must(done.err)
	return done.report
}

func (s *stage) expectRefusal(dst, src int, o splice.Options) {
	s.Helper()
	done := s.start(dst, src, o)()
	if _, ok := done.err.(*splice.UnservedError); !ok || done.report.Delivered != 0 {
		s.Errorf("%v: %v, %+v", o.Method, done.err, done.report)
	}
}

func (s *stage) extents(name string) string {
	s.Helper()
	out, err := exec.Command(testfs.Need(s.T, "filefrag"), "-s", "-v", fmt.Sprint(s.sinkDir, "/", name)).CombinedOutput()
	s.must(err)
	return string(out)
}
