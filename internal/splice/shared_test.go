package splice

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// line is what another process writes to the sink: bytes that no source has.
func line(i int) string { return fmt.Sprintf("<another process's line %d>\n", i) }

// withoutLines takes out of a file what another process has written, and says
// how much of it is not whole.
func withoutLines(p []byte, lines int) (rest []byte, wrong string) {
	for i := range lines {
		before, after, whole := bytes.Cut(p, []byte(line(i)))
		if !whole {
			return p, fmt.Sprintf("line %d of another process is lost", i)
		}
		p = append(bytes.Clone(before), after...)
	}
	return p, ""
}

func TestNothingIsLostInAFileThatAnotherProcessWritesTo(t *testing.T) {
	for _, m := range []Method{Auto, Reflink, CopyFileRange, Splice, Mmap, Direct, ReadWrite} {
		t.Run(m.String(), property.Make(property.Usual, func(t *rapid.T) {
			s := newScene()
			s.options.Method = m
			s.copier.PipeSize = rapid.SampledFrom([]int{2 * page, 64 << 10}).Draw(t, "pipe size")
			if m == Auto && rapid.Bool().Draw(t, "from a pipe") {
				drawStream(t, s, Pipe)
			} else {
				s.file(Regular, size(t, "size"), 0).fs = rapid.SampledFrom(filesystems).Draw(t, "filesystem")
			}
			to := s.toFile(Regular, 0, 0, 0)
			to.fs = rapid.SampledFrom(filesystems).Draw(t, "sink filesystem")
			s.dst[0].Inherited = true
			lines := drawOtherWriter(t, s)
			if oneIn(t, 4, "short counts") {
				for _, call := range []site{{"splice out", theSink}, {"pwrite", theSink}, {"copy_file_range", either}} {
					s.fail(call.call, call.who, fault{most: rapid.IntRange(1, 2*page).Draw(t, "most")}, fault{}, fault{errno: unix.EINTR})
				}
			}
			r, err := s.copy()
			if hole := (*HoleError)(nil); errors.As(err, &hole) {
				return // no other method may fill it
			}
			if wrong := s.untruthful(err); wrong != "" && !unsuited(err) {
				t.Fatal(wrong)
			}
			for _, o := range s.k.others {
				o.hurry()
			}
			rest, wrong := withoutLines(to.bytes(), lines)
			if wrong == "" {
				wrong = difference(rest, content(0, r.Delivered))
			}
			if wrong != "" || err == nil && r.Delivered != s.src.length {
				t.Errorf("delivered %d of %d, %v, %+v: %s", r.Delivered, s.src.length, err, r.Fallbacks, wrong)
			}
			s.checkKernel(t)
		}))
	}
}

// unsuited reports whether a method was asked for that cannot serve.
func unsuited(err error) bool {
	_, ok := err.(*UnservedError)
	return ok
}

// drawOtherWriter adds a process that writes lines to the sink, and at some time
// has it appended to. It returns how many lines there are.
func drawOtherWriter(t *rapid.T, s *scene) (lines int) {
	step := 0
	var acts []act
	for range rapid.IntRange(0, 4).Draw(t, "acts") {
		step += rapid.IntRange(0, 20).Draw(t, "calls until the next")
		if oneIn(t, 4, "appends") {
			acts = append(acts, act{step, appends})
			continue
		}
		acts = append(acts, act{step, writes(line(lines))})
		lines++
	}
	s.k.sharing(s.dst[0].o, acts...)
	return lines
}

func TestEveryByteOfASharedSourceIsReadOnce(t *testing.T) {
	for _, m := range []Method{Auto, CopyFileRange, Sendfile, Splice, Mmap, Direct, ReadWrite} {
		t.Run(m.String(), property.Make(property.Usual, func(t *rapid.T) {
			s := newScene()
			s.options.Method = m
			s.copier.PipeSize = 2 * page
			f := s.file(Regular, size(t, "size"), 0)
			s.src.Inherited = true
			var got func() []byte
			switch {
			case m == CopyFileRange || m == Direct || m == Auto && rapid.Bool().Draw(t, "to a file"):
				to := s.toFile(Regular, 0, 0, 0)
				got = to.bytes
			default:
				h := s.toHole(Socket, 0)
				got = func() []byte { return h.got }
			}
			step := 0
			var acts []act
			for range rapid.IntRange(0, 4).Draw(t, "reads") {
				step += rapid.IntRange(0, 20).Draw(t, "calls until the next")
				acts = append(acts, act{step, reads(rapid.IntRange(1, 3*page).Draw(t, "bytes"))})
			}
			o := s.k.sharing(s.src.o, acts...)
			r, err := s.copy()
			o.hurry()
			if err != nil && !unsuited(err) {
				t.Fatal(err)
			}
			want := bytes.Clone(f.bytes())
			if err != nil { // it has taken nothing
				want, r.Delivered = want[:0], 0
				o.got = nil
			}
			for i := len(o.got) - 1; i >= 0; i-- { // from the end, so that offsets stay true
				g := o.got[i]
				want = append(want[:g.at:g.at], want[g.end:]...)
			}
			if wrong := difference(got(), want); wrong != "" || r.Delivered != int64(len(want)) {
				t.Errorf("delivered %d, others have %v: %s", r.Delivered, o.got, wrong)
			}
			s.checkKernel(t)
		}))
	}
}

// What a full disk leaves of a claim is given back, and the offset stands
// behind the last byte.
func TestAClaimThatCannotBeFulfilledIsGivenBack(t *testing.T) {
	for _, m := range []Method{Auto, Splice, CopyFileRange, Direct} {
		s := newScene()
		s.options.Method = m
		s.file(Regular, 40*page, 0)
		to := s.toFile(Regular, 0, 0, 0)
		to.full, to.fullErr = 20*page, unix.ENOSPC
		s.dst[0].Inherited = true
		r, err := s.copy()
		if w, ok := err.(*WriteError); !ok || w.Err != unix.ENOSPC {
			t.Errorf("%v: %v", m, err)
		}
		if at := s.dst[0].o.offset; at != r.Delivered || at != to.size {
			t.Errorf("%v: delivered %d, the offset is %d, the size %d", m, r.Delivered, at, to.size)
		}
	}
}

// If another process has written behind the claim, the message says where the
// hole is.
func TestAHoleThatStaysBehindIsNamed(t *testing.T) {
	s := newScene()
	s.stream(Pipe, 0, slices.Repeat([]int{page}, 40)...)
	s.src.o.object.(*fakeStream).burst = 40
	to := s.toFile(Regular, 0, 0, 0)
	to.full, to.fullErr = 20*page, unix.ENOSPC
	s.dst[0].Inherited = true
	splice := s.copier.kernel.splice
	s.copier.kernel.splice = func(in, out place, n, flags int) (int, error) {
		if out.fd == s.dst[0].FD && out.at >= 20*page { // the other's disk has room behind
			to.full = -1
			writes("behind")(&otherProcess{d: s.dst[0].o, f: to})
			to.full = 20 * page
		}
		return splice(in, out, n, flags)
	}
	r, err := s.copy()
	w, _ := err.(*WriteError)
	if w == nil {
		t.Fatal(err)
	}
	hole, ok := w.Err.(*HoleError)
	if !ok || hole.Err != unix.ENOSPC || hole.At != r.Delivered || !strings.Contains(err.Error(), "are zeros") {
		t.Errorf("%v, delivered %d", err, r.Delivered)
	}
}

// Beyond RLIMIT_FSIZE the process dies: it must not have a claim there.
func TestNothingIsClaimedBeyondTheSizeLimit(t *testing.T) {
	s := newScene()
	s.file(Regular, 40*page, 0)
	to := s.toFile(Regular, 0, 0, 0)
	s.k.sizeLimit = 15*page + 1
	to.full, to.fullErr = s.k.sizeLimit, unix.EFBIG
	s.dst[0].Inherited = true
	look := func() {
		if at := s.dst[0].o.offset; at > s.k.sizeLimit {
			t.Errorf("the offset is %d when a call may end at the limit", at)
		}
	}
	write, splice := s.copier.kernel.write, s.copier.kernel.splice
	s.copier.kernel.write = func(fd int, p []byte) (int, error) { look(); return write(fd, p) }
	s.copier.kernel.splice = func(in, out place, n, flags int) (int, error) { look(); return splice(in, out, n, flags) }
	r, err := s.copy()
	if w, ok := err.(*WriteError); !ok || w.Err != unix.EFBIG || r.Delivered != s.k.sizeLimit || s.dst[0].o.offset != r.Delivered {
		t.Errorf("%v, delivered %d, offset %d", err, r.Delivered, s.dst[0].o.offset)
	}
}

// What is appended to a file belongs to whoever reads on: a process that is killed
// must not have claimed it.
func TestNoSourceIsClaimedBeyondItsSize(t *testing.T) {
	for _, m := range []Method{Auto, Splice, Sendfile, CopyFileRange} {
		s := newScene()
		s.options.Method = m
		s.copier.PipeSize = 16 * page
		f := s.file(Regular, 40*page+1, 0)
		s.src.Inherited = true
		if m == CopyFileRange {
			s.toFile(Regular, 0, 0, 0)
		} else {
			s.toHole(Socket, 0)
		}
		looks := 0
		look := func() {
			looks++
			if at := s.src.o.offset; at > f.size {
				t.Errorf("%v: the offset is %d in a file of %d bytes", m, at, f.size)
			}
		}
		k := s.copier.kernel
		splice, sendfile, copyFileRange := k.splice, k.sendfile, k.copyFileRange
		k.splice = func(in, out place, n, flags int) (int, error) { look(); return splice(in, out, n, flags) }
		k.sendfile = func(out int, in place, n int) (int, error) { look(); return sendfile(out, in, n) }
		k.copyFileRange = func(in, out place, n int) (int, error) { look(); return copyFileRange(in, out, n) }
		if r, err := s.copy(); err != nil || r.Delivered != f.size || looks == 0 {
			t.Errorf("%v: delivered %d by %d calls, %v", m, r.Delivered, looks, err)
		}
	}
}

func TestGiveBackLeavesNoClaim(t *testing.T) {
	s := newScene()
	s.file(Regular, 40*page, 0)
	s.src.Inherited = true
	s.toHole(Socket, 0)
	s.copier.PipeSize = 64 << 10
	noticed := 0
	s.copier.BeforeClaims(func() { noticed++ })
	s.fail("splice in", source, fault{most: page}) // the rest of the claim stays open
	gaveBack := false
	_, err := s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, Options{Progress: func(int64) error {
		s.copier.GiveBack()
		gaveBack = true
		return errStopped // the process is about to die
	}})
	if at := s.src.o.offset; !gaveBack || noticed != 1 || at != page || err != errStopped {
		t.Errorf("%v, told %d times, the offset is %d", err, noticed, at)
	}
}
