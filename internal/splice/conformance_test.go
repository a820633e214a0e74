package splice

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/rawio"
	"zeroutils/internal/testfs"
)

// The fake kernel is held against the real one: each scene is played on both,
// and what comes of it must be the same, so that the fake cannot share a wrong
// belief with the engine. A scene has an entry for each kernel, or does not
// compile.

// length is how much the sources of the scenes have, in bytes: more than any pipe
// of theirs holds, and no multiple of anything.
const length = 300_001

// A setting makes one end of a scene on the real kernel, and on the fake one.
// onHost returns what arrives at a sink, once the copy is over.
type setting struct {
	name   string
	onHost func(h *hostScene) *Descriptor
	onFake func(s *scene)
}

// A hostScene is a scene of the real kernel.
type hostScene struct {
	*testing.T
	peers   sync.WaitGroup // who feed and drain
	arrived func() []byte
	after   []func() // to be done when the copy is over, before the peers are waited for
}

func (h *hostScene) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// own closes a descriptor when the scene is over.
func (h *hostScene) own(fd int) int {
	h.Cleanup(func() { unix.Close(fd) })
	return fd
}

func (h *hostScene) describe(fd int) *Descriptor {
	h.Helper()
	d, err := DescribeOwn(h.own(fd))
	h.must(err)
	return d
}

// memory is a file with some content.
func (h *hostScene) memory(p []byte, offset int64) int {
	h.Helper()
	fd, err := unix.MemfdCreate("scene", unix.MFD_CLOEXEC)
	h.must(err)
	_, err = unix.Pwrite(fd, p, 0)
	h.must(err)
	_, err = unix.Seek(fd, offset, unix.SEEK_SET)
	h.must(err)
	return fd
}

// feed writes pieces and closes.
func (h *hostScene) feed(fd int, pieces ...[]byte) {
	h.peers.Go(func() {
		defer unix.Close(fd)
		for _, p := range pieces {
			if rawio.WriteAll(fd, p) != nil {
				return
			}
		}
	})
}

// drain reads all there is, which is what arrives.
func (h *hostScene) drain(fd int) {
	var got []byte
	h.peers.Go(func() {
		defer unix.Close(fd)
		buf := make([]byte, 1<<18)
		for {
			n, err := unix.Read(fd, buf)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 || err != nil {
				return
			}
			got = append(got, buf[:n]...)
		}
	})
	h.arrived = func() []byte { return got }
}

// end closes what a descriptor refers to. Its number stays taken.
func (h *hostScene) end(fd int) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	h.must(err)
	h.must(unix.Dup3(null, fd, unix.O_CLOEXEC))
	unix.Close(null)
}

// over closes a sink when the copy is over, so that who drains it ends.
func (h *hostScene) over(d *Descriptor) *Descriptor {
	h.after = append(h.after, func() { h.end(d.FD) })
	return d
}

func (h *hostScene) pipe(flags int) (r, w int) {
	h.Helper()
	var fds [2]int
	h.must(unix.Pipe2(fds[:], unix.O_CLOEXEC|flags))
	return fds[0], fds[1]
}

func (h *hostScene) pair(kind int) (a, b int) {
	h.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	h.must(err)
	return fds[0], fds[1]
}

// tcp is a connection over the loopback.
func (h *hostScene) tcp() (a, b int) {
	h.Helper()
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	h.must(err)
	defer unix.Close(listener)
	h.must(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	h.must(unix.Listen(listener, 1))
	address, err := unix.Getsockname(listener)
	h.must(err)
	a, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	h.must(err)
	h.must(unix.Connect(a, address))
	b, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	h.must(err)
	return a, b
}

// pages are the lengths of a fake stream's segments.
func pages(n int) (lengths []int) {
	for ; n > 0; n -= page {
		lengths = append(lengths, min(n, page))
	}
	return lengths
}

var datagrams = []int{1, 100, 5000, 60_000, 150_000, 7}

func records(s *scene) {
	st := s.stream(Socket, 0, datagrams...)
	st.records, s.src.Records = true, true
}

// sendRecords sends the datagrams.
func sendRecords(fd int) {
	at := int64(0)
	for _, n := range datagrams {
		_, _ = unix.Write(fd, content(at, int64(n)))
		at += int64(n)
	}
}

var stagedSources = []setting{
	{"file", func(h *hostScene) *Descriptor { return h.describe(h.memory(content(0, length), 0)) },
		func(s *scene) { s.file(Regular, length, 0) }},
	{"file from its middle on", func(h *hostScene) *Descriptor { return h.describe(h.memory(content(0, length), 100_003)) },
		func(s *scene) { s.file(Regular, length, 100_003) }},
	{"file behind its end", func(h *hostScene) *Descriptor { return h.describe(h.memory(content(0, 10), 20)) },
		func(s *scene) { s.file(Regular, 10, 20) }},
	{"small file", func(h *hostScene) *Descriptor { return h.describe(h.memory(content(0, 1000), 0)) },
		func(s *scene) { s.file(Regular, 1000, 0) }},
	{"empty file", func(h *hostScene) *Descriptor { return h.describe(h.memory(nil, 0)) },
		func(s *scene) { s.file(Regular, 0, 0) }},
	{"inherited file", func(h *hostScene) *Descriptor {
		d := h.describe(h.memory(content(0, length), 4096))
		d.Inherited = true
		return d
	}, func(s *scene) { s.file(Regular, length, 4096); s.src.Inherited = true }},
	{"pipe", func(h *hostScene) *Descriptor {
		r, w := h.pipe(0)
		h.feed(w, content(0, length))
		return h.describe(r)
	}, func(s *scene) { s.stream(Pipe, 0, pages(length)...).burst = 16 }},
	{"pipe without a writer", func(h *hostScene) *Descriptor {
		r, w := h.pipe(0)
		unix.Close(w)
		return h.describe(r)
	}, func(s *scene) { s.stream(Pipe, 0) }},
	{"nonblocking pipe", func(h *hostScene) *Descriptor {
		r, w := h.pipe(unix.O_NONBLOCK)
		h.feed(w, content(0, length))
		return h.describe(r)
	}, func(s *scene) {
		s.stream(Pipe, unix.O_NONBLOCK, pages(length)...).dry = []bool{true, true, false, true}
	}},
	{"pipe in packet mode", func(h *hostScene) *Descriptor {
		r, w := h.pipe(unix.O_DIRECT)
		h.feed(w, content(0, 10), content(10, 20), content(30, 4096))
		return h.describe(r)
	}, func(s *scene) { s.stream(Pipe, 0, 10, 20, 4096) }},
	{"Unix stream", func(h *hostScene) *Descriptor {
		a, b := h.pair(unix.SOCK_STREAM)
		h.feed(b, content(0, length))
		return h.describe(a)
	}, func(s *scene) { s.stream(Socket, 0, pages(length)...) }},
	{"TCP", func(h *hostScene) *Descriptor {
		a, b := h.tcp()
		h.feed(b, content(0, length))
		return h.describe(a)
	}, func(s *scene) { s.stream(Socket, 0, pages(length)...) }},
	{"TCP with an urgent byte", func(h *hostScene) *Descriptor {
		a, b := h.tcp()
		h.peers.Go(func() {
			defer unix.Close(b)
			_ = rawio.WriteAll(b, content(0, 1000))
			_ = unix.Sendto(b, []byte("!"), unix.MSG_OOB, nil)
			_ = rawio.WriteAll(b, content(1000, 1000))
		})
		return h.describe(a)
	}, func(s *scene) { s.stream(Socket, 0, 1000, 1000).urgent = []int64{1000} }},
	{"TCP with an urgent byte first", func(h *hostScene) *Descriptor {
		a, b := h.tcp()
		h.must(unix.Sendto(b, []byte("!"), unix.MSG_OOB, nil))
		h.must(rawio.WriteAll(b, content(0, 1000)))
		unix.Close(b)
		return h.describe(a)
	}, func(s *scene) { s.stream(Socket, 0, 1000).urgent = []int64{0} }},
	{"datagrams", func(h *hostScene) *Descriptor {
		a, b := h.pair(unix.SOCK_DGRAM)
		h.peers.Go(func() {
			defer unix.Close(b)
			sendRecords(b)
			_ = unix.Sendto(b, nil, 0, nil) // an empty one is the end
		})
		return h.describe(a)
	}, records},
	{"sequenced packets", func(h *hostScene) *Descriptor {
		a, b := h.pair(unix.SOCK_SEQPACKET)
		h.peers.Go(func() {
			defer unix.Close(b)
			sendRecords(b)
		})
		return h.describe(a)
	}, records},
	{"socket that times out", func(h *hostScene) *Descriptor {
		a, b := h.pair(unix.SOCK_STREAM)
		h.own(b)
		h.must(unix.SetsockoptTimeval(a, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 10_000}))
		return h.describe(a)
	}, func(s *scene) {
		s.stream(Socket, 0, 1)
		for _, call := range []string{"read", "splice in"} {
			s.fail(call, source, times(2, fault{errno: unix.EAGAIN})...)
		}
	}},
	{"/dev/null", func(h *hostScene) *Descriptor {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		h.must(err)
		return h.describe(fd)
	}, func(s *scene) {
		s.stream(Character, 0).refusal = unix.EINVAL
		s.src.Stat.Rdev = unix.Mkdev(1, 3)
	}},
	{"directory", func(h *hostScene) *Descriptor {
		fd, err := unix.Open("/", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		h.must(err)
		return h.describe(fd)
	}, func(s *scene) { s.stream(Directory, 0).fails = unix.EISDIR }},
}

// toMemory is a sink that is a file.
func toMemory(before []byte, offset int64, flags int, inherited bool) setting {
	return setting{"", func(h *hostScene) *Descriptor {
		d := h.describe(h.memory(before, offset))
		d.Inherited = inherited
		if flags != 0 {
			_, err := unix.FcntlInt(uintptr(d.FD), unix.F_SETFL, unix.O_RDWR|flags)
			h.must(err)
			d.Flags |= flags
		}
		h.arrived = func() []byte {
			end, err := unix.Seek(d.FD, 0, unix.SEEK_END)
			h.must(err)
			p := make([]byte, end)
			_, err = unix.Pread(d.FD, p, 0)
			h.must(err)
			return p
		}
		return d
	}, func(s *scene) {
		f := newFakeFile(s.k, before)
		s.addSink(f, Regular, flags, offset)
		s.dst[0].Inherited = inherited
	}}
}

func named(name string, s setting) setting {
	s.name = name
	return s
}

var stagedSinks = []setting{
	named("file", toMemory(nil, 0, 0, false)),
	named("file with content", toMemory(content(0, 500), 100, 0, false)),
	named("file beyond its end", toMemory(content(0, 5), 5000, 0, false)),
	named("appending file", toMemory(content(0, 500), 0, unix.O_APPEND, false)),
	named("inherited file", toMemory(content(0, 5000), 4000, 0, true)),
	named("inherited appending file", toMemory(content(0, 500), 0, unix.O_APPEND, true)),
	{"pipe", func(h *hostScene) *Descriptor {
		r, w := h.pipe(0)
		h.drain(r)
		return h.over(h.describe(w))
	}, func(s *scene) { s.toPipe(0, 16) }},
	{"nonblocking pipe of a page", func(h *hostScene) *Descriptor {
		r, w := h.pipe(0)
		_, err := unix.FcntlInt(uintptr(w), unix.F_SETPIPE_SZ, page)
		h.must(err)
		h.must(unix.SetNonblock(w, true))
		h.drain(r)
		return h.over(h.describe(w))
	}, func(s *scene) { s.toPipe(unix.O_NONBLOCK, 1) }},
	{"pipe without a reader", func(h *hostScene) *Descriptor {
		r, w := h.pipe(0)
		unix.Close(r)
		h.arrived = func() []byte { return nil }
		return h.describe(w)
	}, func(s *scene) {
		h := s.toHole(Pipe, 0)
		h.full, h.err = 0, unix.EPIPE
	}},
	{"Unix stream", func(h *hostScene) *Descriptor {
		a, b := h.pair(unix.SOCK_STREAM)
		h.drain(b)
		return h.over(h.describe(a))
	}, func(s *scene) { s.toHole(Socket, 0) }},
	{"TCP", func(h *hostScene) *Descriptor {
		a, b := h.tcp()
		h.drain(b)
		return h.over(h.describe(a))
	}, func(s *scene) { s.toHole(Socket, 0) }},
	{"Unix stream whose peer has gone", func(h *hostScene) *Descriptor {
		a, b := h.pair(unix.SOCK_STREAM)
		unix.Close(b)
		h.arrived = func() []byte { return nil }
		return h.describe(a)
	}, func(s *scene) {
		h := s.toHole(Socket, 0)
		h.full, h.err = 0, unix.EPIPE
	}},
	{"sequenced packets", func(h *hostScene) *Descriptor {
		a, b := h.pair(unix.SOCK_SEQPACKET)
		h.drain(b)
		return h.over(h.describe(a))
	}, func(s *scene) { s.toHole(Socket, 0); s.dst[0].Records = true }},
	{"/dev/null", func(h *hostScene) *Descriptor {
		fd, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
		h.must(err)
		return h.describe(fd)
	}, func(s *scene) { s.toHole(Character, 0) }},
	{"/dev/full", func(h *hostScene) *Descriptor {
		fd, err := unix.Open("/dev/full", unix.O_WRONLY|unix.O_CLOEXEC, 0)
		h.must(err)
		return h.describe(fd)
	}, func(s *scene) {
		h := s.toHole(Character, 0)
		h.refusal, h.full, h.err = unix.EINVAL, 0, unix.ENOSPC
	}},
}

// A result is what can be compared of a copy.
type result struct {
	arrived   []byte // nil if the sink does not keep it
	delivered int64
	by        [methods]int64
	err       string
	fallbacks []string
	src, dst  int64 // the offsets that the descriptors have, where they have any
}

func resultOf(r Report, err error) result {
	kept := result{delivered: r.Delivered, by: r.By, err: fmt.Sprint(err)}
	if unserved := (*UnservedError)(nil); err != nil && !errors.As(err, &unserved) {
		kept.err = fmt.Sprintf("%T %v", err, errors.Unwrap(err))
	}
	for _, f := range r.Fallbacks {
		kept.fallbacks = append(kept.fallbacks, fmt.Sprint(f.From, " to ", f.To, ": ", f.Err))
	}
	return kept
}

func playOnHost(t *testing.T, from, to setting, o Options, meddle func(*kernel, *Descriptor, func(string), func())) result {
	h := &hostScene{T: t}
	src := from.onHost(h)
	dst := to.onHost(h)
	table := host
	if meddle != nil {
		other, err := unix.Dup(dst.FD)
		h.must(err)
		h.own(other)
		meddle(&table, dst, func(p string) { _ = rawio.WriteAll(other, []byte(p)) }, func() {
			_, err := unix.FcntlInt(uintptr(other), unix.F_SETFL, unix.O_RDWR|unix.O_APPEND)
			h.must(err)
		})
	}
	c := &Copier{kernel: &table, PipeSize: 64 << 10}
	defer c.Close()
	got := resultOf(c.Copy(dst, src, o))
	for _, end := range []struct {
		d  *Descriptor
		at *int64
	}{{src, &got.src}, {dst, &got.dst}} {
		if end.d.Kind == Regular {
			*end.at, _ = unix.Seek(end.d.FD, 0, unix.SEEK_CUR)
		}
	}
	h.end(src.FD) // who still feeds it ends
	for _, f := range h.after {
		f()
	}
	h.peers.Wait()
	if h.arrived != nil {
		got.arrived = h.arrived()
	}
	return got
}

func playOnFake(t *testing.T, from, to setting, o Options, meddle func(*kernel, *Descriptor, func(string), func())) result {
	s := newScene()
	from.onFake(s)
	to.onFake(s)
	s.options = o
	s.copier.PipeSize = 64 << 10
	if meddle != nil {
		other := s.k.sharing(s.dst[0].o)
		meddle(s.copier.kernel, s.dst[0].Descriptor, func(p string) { writes(p)(other) }, func() { appends(other) })
	}
	got := resultOf(s.copier.Copy(s.dst[0].Descriptor, s.src.Descriptor, s.options))
	if s.src.Kind == Regular {
		got.src = s.src.o.offset
	}
	switch o := s.dst[0].o.object.(type) {
	case *fakeFile:
		got.arrived, got.dst = o.bytes(), s.dst[0].o.offset
	case *fakePipe:
		o.readAll()
		got.arrived = o.reader.got
	case *fakeHole:
		if s.dst[0].Kind == Socket || s.dst[0].Kind == Pipe {
			got.arrived = o.got
		}
	}
	for _, foul := range s.k.fouls {
		t.Error(foul)
	}
	return got
}

func (got result) differs(want result) string {
	switch {
	case !bytes.Equal(got.arrived, want.arrived):
		return fmt.Sprintf("%d bytes arrived, %d on the host", len(got.arrived), len(want.arrived))
	case got.err != want.err:
		return fmt.Sprintf("error %s, %s on the host", got.err, want.err)
	case got.delivered != want.delivered || got.by != want.by:
		return fmt.Sprintf("delivered %d by %v, %d by %v on the host", got.delivered, got.by, want.delivered, want.by)
	case !slices.Equal(got.fallbacks, want.fallbacks):
		return fmt.Sprintf("fallbacks %q, %q on the host", got.fallbacks, want.fallbacks)
	case got.src != want.src || got.dst != want.dst:
		return fmt.Sprintf("offsets %d and %d, %d and %d on the host", got.src, got.dst, want.src, want.dst)
	}
	return ""
}

func TestTheFakeKernelDoesWhatTheRealOneDoes(t *testing.T) {
	testfs.NeedPipeAllowance(t)
	for _, from := range stagedSources {
		t.Run(from.name, func(t *testing.T) {
			for _, to := range stagedSinks {
				for _, m := range []Method{Auto, CopyFileRange, Sendfile, Splice, Mmap, ReadWrite} {
					for _, limit := range []int64{0, 150} {
						t.Run(fmt.Sprint(to.name, " by ", m, ", ", limit), func(t *testing.T) {
							o := Options{Method: m, Limit: limit}
							real, fake := playOnHost(t, from, to, o, nil), playOnFake(t, from, to, o, nil)
							if wrong := fake.differs(real); wrong != "" {
								t.Error(wrong)
							}
						})
					}
				}
			}
		})
	}
}

// Another process that shares the sink's offset acts just before a certain call.
func TestTheFakeKernelSharesOffsetsAsTheRealOneDoes(t *testing.T) {
	testfs.NeedPipeAllowance(t)
	to := named("shared file", toMemory(nil, 0, 0, true))
	for _, from := range stagedSources[:8] {
		for _, m := range []Method{Auto, CopyFileRange, Splice, Mmap, ReadWrite} {
			for _, call := range []string{"seek", "splice", "copy_file_range", "write"} {
				for _, what := range []string{"writes", "appends", "writes and appends", "appends and writes"} {
					t.Run(fmt.Sprint(what, " before ", call, ", ", from.name, " by ", m), func(t *testing.T) {
						meddle := func(k *kernel, dst *Descriptor, write func(string), appends func()) {
							acted := false
							act := func(now bool) {
								if acted || !now {
									return
								}
								acted = true
								switch what {
								case "writes":
									write("<other>")
								case "appends":
									appends()
								case "writes and appends":
									write("<other>")
									appends()
								case "appends and writes":
									appends()
									write("<other>")
								}
							}
							seek, splice, copyRange, writeTo := k.seek, k.splice, k.copyFileRange, k.write
							k.seek = func(fd int, offset int64, whence int) (int64, error) {
								act(call == "seek" && fd == dst.FD)
								return seek(fd, offset, whence)
							}
							k.splice = func(in, out place, n, flags int) (int, error) {
								act(call == "splice" && out.fd == dst.FD)
								return splice(in, out, n, flags)
							}
							k.copyFileRange = func(in, out place, n int) (int, error) {
								act(call == "copy_file_range")
								return copyRange(in, out, n)
							}
							k.write = func(fd int, p []byte) (int, error) {
								act(call == "write" && fd == dst.FD)
								return writeTo(fd, p)
							}
						}
						o := Options{Method: m}
						real, fake := playOnHost(t, from, to, o, meddle), playOnFake(t, from, to, o, meddle)
						if wrong := fake.differs(real); wrong != "" {
							t.Error(wrong)
						}
						data := bytes.Replace(real.arrived, []byte("<other>"), nil, 1)
						start := max(0, real.src-real.delivered)
						if real.err == "<nil>" && !bytes.Equal(data, content(start, real.delivered)) {
							t.Errorf("%d bytes of data, delivered %d", len(data), real.delivered)
						}
					})
				}
			}
		}
	}
}
