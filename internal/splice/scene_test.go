package splice

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// A scene is a fake kernel with the source and the sinks of one copy. A test sets it
// up by hand,
//
//	s := newScene()
//	s.file(Regular, 20*page, 0) // the source: a file of 20 pages, read from offset 0
//	s.toPipe(0, 16)             // the sink: a pipe of 16 slots
//	s.fail("splice out", theSink, fault{most: page}, fault{errno: unix.EIO})
//	r, err := s.copy()
//	s.checkCopy(t, r, err)
//
// or has rapid draw it (draw_test.go). checkCopy knows what every copy guarantees: the
// bytes, the offsets, the report, and that an error names the right side. It asks for
// nothing that depends on the method, so most tests add a few lines to it.
type scene struct {
	k      *fakeKernel
	copier *Copier
	src    *prop
	dst    []*prop

	options  Options
	teeing   TeeOptions // without what options has
	made     int64      // system calls that the copy made, as the fake kernel has counted them
	progress int64      // bytes that Progress was told of
	stop     int        // the call of Progress that ends the copy; 0 is none
	giveUp   int        // the call of SinkFailed that ends it; 0 is none
}

// buffer is every Copier's, one test after the other.
var buffer = bytes.Repeat([]byte("stale"), bufferSize)[:bufferSize]

var errStopped = errors.New("stopped by the progress callback")

// A prop is one end of a copy, and how it was before.
type prop struct {
	*Descriptor
	o      *opened
	start  int64  // the first offset to read or write
	before []byte // the content of a file
	length int64  // how much a source has from start on; -1 if that changes midway
	unsure int64  // of the last bytes delivered, how many may be anything
}

func newScene() *scene {
	k := newFakeKernel()
	return &scene{k: k, copier: &Copier{kernel: k.table(), buf: buffer}}
}

func (s *scene) describe(o *opened) *prop {
	p := &prop{o: o, start: o.offset, Descriptor: &Descriptor{FD: o.fd, Kind: o.kind, Flags: o.flags, Offset: o.offset}}
	p.Stat.Ino = uint64(o.fd)
	if f, ok := o.object.(*fakeFile); ok {
		if o.who >= theSink {
			p.before = f.bytes()
		}
		p.length = max(0, f.size-o.offset)
		if o.kind == Regular {
			p.Stat.Size = f.stat()
			p.Stat.Blocks = (p.Stat.Size + 511) / 512
		}
		if o.flags&unix.O_APPEND != 0 {
			p.start = f.size
		}
	}
	return p
}

// file makes a regular file or block device the source, at an offset.
func (s *scene) file(kind Kind, size, offset int64) *fakeFile {
	f := newFakeFile(s.k, content(0, size))
	o := s.k.add(f, source, kind, unix.O_RDONLY)
	o.offset = offset
	s.src = s.describe(o)
	return f
}

// stream makes a pipe, socket, terminal, device or other thing the source.
func (s *scene) stream(kind Kind, flags int, segments ...int) *fakeStream {
	st := &fakeStream{k: s.k, typed: kind == Terminal}
	at := int64(0)
	for _, n := range segments {
		st.segments = append(st.segments, content(at, int64(n)))
		at += int64(n)
	}
	s.src = s.describe(s.k.add(st, source, kind, flags|unix.O_RDONLY))
	s.src.length = at
	return st
}

func (s *scene) addSink(o object, kind Kind, flags int, offset int64) {
	d := s.k.add(o, theSink+party(len(s.dst)), kind, flags|unix.O_WRONLY)
	d.offset = offset
	s.dst = append(s.dst, s.describe(d))
}

// toFile adds a sink with some content.
func (s *scene) toFile(kind Kind, flags int, before, offset int64) *fakeFile {
	f := newFakeFile(s.k, bytes.Repeat([]byte("."), int(before)))
	s.addSink(f, kind, flags, offset)
	return f
}

// toPipe adds a pipe of so many slots whose reader reads when it has to.
func (s *scene) toPipe(flags, room int) *fakePipe {
	p := &fakePipe{k: s.k, room: room, reader: &fakeReader{}}
	s.addSink(p, Pipe, flags, 0)
	return p
}

// toHole adds a socket, terminal, device or other thing.
func (s *scene) toHole(kind Kind, flags int) *fakeHole {
	h := &fakeHole{k: s.k, full: -1}
	s.addSink(h, kind, flags, 0)
	return h
}

// fail puts faults before what a call does by itself.
func (s *scene) fail(call string, who party, faults ...fault) {
	at := site{call, who}
	s.k.faults[at] = append(s.k.faults[at], faults...)
}

func (s *scene) copy() (Report, error) {
	s.options.Progress = s.count
	before := s.k.counted
	r, err := s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, s.options)
	s.made = s.k.counted - before
	return r, err
}

func (s *scene) count(n int64) error {
	s.progress += n
	if s.stop--; s.stop == 0 {
		return errStopped
	}
	return nil
}

// consumed is how much was taken from the source.
func (p *prop) consumed() int64 {
	if st, ok := p.o.object.(*fakeStream); ok {
		return st.consumed
	}
	return p.o.offset - p.start
}

// differs says how a sink that n bytes of a source were delivered to is not as
// it should be; "" is exactly so.
func (p *prop) differs(src *prop, n int64) string {
	got, wrong := p.arrived(n)
	if wrong != "" {
		return wrong
	}
	sure := min(n, int64(len(got))) - src.unsure
	if wrong := difference(got[:sure], content(src.start, n)[:sure]); wrong != "" || int64(len(got)) == n {
		return wrong
	}
	return fmt.Sprintf("%d bytes, want %d", len(got), n)
}

// arrived returns what has come to a sink. Of a file, that is n bytes; what is
// not as it was around them is wrong.
func (p *prop) arrived(n int64) (got []byte, wrong string) {
	switch o := p.o.object.(type) {
	case *fakePipe:
		o.reader.wakes, o.reader.every = time.Time{}, 0
		o.readAll()
		got = o.reader.got
		for _, left := range o.slots { // its reader has gone
			got = append(got, left.data...)
		}
		return got, ""
	case *fakeHole:
		return o.got, ""
	}
	got = p.o.object.(*fakeFile).bytes()
	if n == 0 {
		return nil, difference(got, p.before)
	}
	end := p.start + n
	want := append(slices.Clone(p.before), make([]byte, max(0, end-int64(len(p.before))))...)
	copy(want[p.start:end], got[min(p.start, int64(len(got))):])
	if wrong := difference(got, want); wrong != "" {
		return nil, "the file has " + wrong
	}
	if p.o.offset != end {
		return nil, fmt.Sprintf("the sink's offset is %d, want %d+%d", p.o.offset, p.start, n)
	}
	return got[p.start:end], ""
}

// misknown says how a Descriptor is not what its descriptor has come to; "" is
// not at all.
func (p *prop) misknown() string {
	f, ok := p.o.object.(*fakeFile)
	switch {
	case !ok:
		return ""
	case p.Offset != p.o.offset:
		return fmt.Sprintf("offset is known as %d, but is %d", p.Offset, p.o.offset)
	case p.Kind == Regular && p.Stat.Size != f.size:
		return fmt.Sprintf("size is known as %d, but is %d", p.Stat.Size, f.size)
	}
	return ""
}

func difference(got, want []byte) string {
	if bytes.Equal(got, want) {
		return ""
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("of %d bytes (want %d), the one at %d is wrong", len(got), len(want), i)
		}
	}
	return fmt.Sprintf("%d bytes, want %d", len(got), len(want))
}

// total is what a copy without an error delivers.
func (s *scene) total() int64 {
	if s.options.Limit > 0 {
		return min(s.options.Limit, s.src.length)
	}
	return s.src.length
}

// said reports whether a party gave an errno. What a call said that reads and
// writes may be anybody's, and to read a private pipe is to read the source.
func (s *scene) said(who party, err error) bool {
	return slices.ContainsFunc(s.k.said, func(a answer) bool {
		his := a.who == who || a.who == either || who == source && a.call == "read" && a.who == nobody
		return a.errno == err && his
	})
}

// unplanned reports whether e is what Plan says, before any call was made, or
// about files that O_DIRECT cannot serve.
func (s *scene) unplanned(e *UnservedError) bool {
	if e.Method == Direct && e.Errno != nil {
		from, to := s.src.o.object.(*fakeFile), s.dst[0].o.object.(*fakeFile)
		align := max(from.align, to.align)
		apart := s.src.start - s.dst[0].start
		return e.Errno == unix.EINVAL && align > directBlock || e.Errno == ErrMisaligned && apart%int64(align) != 0
	}
	if e.Errno == ErrNoLease {
		return slices.ContainsFunc(s.k.said, func(a answer) bool { return a.call == "F_SETLEASE" || a.call == "reopen" })
	}
	_, err := Plan(s.dst[0].Descriptor, s.src.Descriptor, s.options)
	return err != nil && e.Errno == nil
}

// untruthful says what is wrong with an error; "" is nothing.
func (s *scene) untruthful(err error) string {
	var is bool
	switch e := err.(type) {
	case nil:
		is = true
	case *ReadError:
		cut := e.Err == ErrTruncated && (s.said(source, unix.ENODATA) || s.said(source, unix.EFAULT) || s.src.length < 0)
		disk := e.Err == unix.EIO && s.said(source, unix.EFAULT)
		is = s.said(source, e.Err) || cut || disk
	case *WriteError:
		is = s.wrote(theSink, e)
	case *UnservedError:
		is = e.Method == s.options.Method && (s.unplanned(e) || slices.ContainsFunc(s.k.said, func(a answer) bool {
			return a.errno == e.Errno
		}))
	default:
		is = err == errStopped && s.stop == 0
	}
	if is {
		return ""
	}
	return fmt.Sprintf("nobody said %T %v, but %v", err, err, s.k.said)
}

func (s *scene) wrote(who party, e *WriteError) bool {
	return s.said(who, e.Err) || e.Err == ErrNoProgress
}

// checkKernel checks what holds after any copy: nothing was done that is not
// to be done, and Close leaves nothing behind.
func (s *scene) checkKernel(t rapid.TB) {
	t.Helper()
	for _, foul := range s.k.fouls {
		t.Errorf("%s", foul)
	}
	s.copier.Close()
	if s.copier.Pool != nil {
		s.copier.Pool.Close()
	}
	for _, leak := range s.k.leaks() {
		t.Errorf("after Close: %s", leak)
	}
}

// checkCopy checks what the package promises of a copy that has ended.
func (s *scene) checkCopy(t rapid.TB, r Report, err error) {
	t.Helper()
	if f, ok := s.src.o.object.(*fakeFile); ok && errors.Is(err, ErrTruncated) {
		s.src.unsure = max(0, s.src.start+r.Delivered-max(f.size, s.src.start)) // mmap's zeros
	}
	if wrong := s.dst[0].differs(s.src, r.Delivered); wrong != "" {
		t.Errorf("delivered %d, error %v: %s", r.Delivered, err, wrong)
	}
	if wrong := s.untruthful(err); wrong != "" {
		t.Error(wrong)
	}
	if s.progress != r.Delivered {
		t.Errorf("Progress was told of %d bytes of %d", s.progress, r.Delivered)
	}
	var by int64
	for _, n := range r.By {
		by += n
	}
	if by != r.Delivered {
		t.Errorf("By sums up to %d bytes of %d", by, r.Delivered)
	}
	if err == nil && s.src.length >= 0 && r.Delivered != s.total() {
		t.Errorf("delivered %d bytes of %d", r.Delivered, s.total())
	}
	if s.options.Limit > 0 && r.Delivered > s.options.Limit {
		t.Errorf("delivered %d bytes, limit %d", r.Delivered, s.options.Limit)
	}
	if s.made > 0 && s.options.Wait == nil && r.Calls != s.made {
		t.Errorf("%d calls reported, %d made", r.Calls, s.made)
	}
	if wrong := s.dst[0].misknown(); wrong != "" {
		t.Errorf("the sink's %s", wrong)
	}
	if _, unserved := err.(*UnservedError); (err == nil || unserved) && s.src.consumed() != r.Delivered {
		t.Errorf("took %d bytes from the source, delivered %d (%v)", s.src.consumed(), r.Delivered, err)
	}
	if err == nil && s.src.length >= 0 && s.src.Offset != s.src.o.offset {
		t.Errorf("the source's offset is known as %d, but is %d", s.src.Offset, s.src.o.offset)
	}
	s.checkKernel(t)
	if t.Failed() {
		t.Logf("report %+v, calls %v, said %v", r, s.k.calls, s.k.said)
	}
}

// mustCopy runs a copy that has to deliver all.
func (s *scene) mustCopy(t *testing.T) Report {
	t.Helper()
	r, err := s.copy()
	if err != nil {
		t.Errorf("error %v", err)
	}
	s.checkCopy(t, r, err)
	return r
}
