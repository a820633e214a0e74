package splice_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// Slow readers, readers that go away, callers that have had enough, sources
// that cannot be read: how copies wait and how they end.

// A full sink that does not block is waited for, not asked again and again.
func TestASlowReaderOfANonblockingPipeGetsEverythingInFewCalls(t *testing.T) {
	const size = 1 << 20
	for _, from := range []string{"regular file", "pipe"} {
		for _, m := range []splice.Method{splice.Auto, splice.Splice, splice.Sendfile, splice.Mmap, splice.ReadWrite} {
			if !mustServe(m, from, "pipe") {
				continue
			}
			t.Run(from+" by "+m.String(), func(t *testing.T) {
				t.Parallel()
				s := newStage(t, t.TempDir(), "", "")
				defer s.end()
				src, _ := sourceNamed(from).open(s, text[:size], 0)
				r, w := s.ownedPipe()
				s.must(unix.SetNonblock(w, true))
				wait := s.start(w, src, splice.Options{Method: m})
				got := s.readSlowly(r, size)
				done := wait()
				if done.err != nil || done.report.Delivered != size || !bytes.Equal(got, text[:size]) {
					t.Errorf("%v, %+v", done.err, done.report)
				}
				// One write, one refusal and one poll for each page that became free.
				if most := int64(3*size/page + 100); done.report.Calls > most {
					t.Errorf("%d calls, want %d at most", done.report.Calls, most)
				}
			})
		}
	}
}

// A wait is one call, however long it takes.
func TestWaitingCostsNoCalls(t *testing.T) {
	for _, m := range []splice.Method{splice.Auto, splice.ReadWrite, splice.TeePipe} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			in, out := s.openEnded("pipe")
			r, w := s.ownedPipe()
			s.must(unix.SetNonblock(in, true))
			s.must(unix.SetNonblock(w, true))
			wait := s.startEither(m, w, in)
			time.Sleep(200 * time.Millisecond) // for the source
			s.feed(out, text[:100_000], func() { unix.Close(out) })
			s.eventually("a full pipe", func() bool {
				n, _ := unix.Poll([]unix.PollFd{{Fd: int32(w), Events: unix.POLLOUT}}, 0)
				return n == 0
			})
			time.Sleep(200 * time.Millisecond) // for the reader
			s.readSlowly(r, 100_000)
			done := wait()
			if s.must(done.err); done.report.Calls > 100 {
				t.Errorf("%d calls", done.report.Calls)
			}
		})
	}
}

// readSlowly reads n bytes, as many as there are every millisecond.
func (s *stage) readSlowly(fd, n int) []byte {
	s.Helper()
	got := make([]byte, 0, n)
	for len(got) < n {
		time.Sleep(time.Millisecond)
		more := s.readSome(fd, got[len(got):min(n, len(got)+50_000)])
		got = got[:len(got)+more]
	}
	return got
}

// No full buffer is waited for, at either end.
func TestWhatHasArrivedIsPassedOnAtOnce(t *testing.T) {
	for _, kind := range []string{"pipe", "unix socket", "TCP socket", "terminal"} {
		for _, m := range []splice.Method{splice.Auto, splice.Splice, splice.ReadWrite, splice.TeePipe} {
			if m == splice.Splice && kind == "terminal" {
				continue
			}
			t.Run(kind+" by "+m.String(), func(t *testing.T) {
				s := newStage(t, t.TempDir(), "", "")
				defer s.end()
				in, out := s.openEnded(kind)
				r, w := s.ownedPipe()
				wait := s.startEither(m, w, in)
				for _, line := range []string{"one\n", "two\n", "three\n"} {
					_, err := unix.Write(out, []byte(line))
					s.must(err)
					s.eventually(line, func() bool { return s.unread(r) == len(line) })
					got := make([]byte, 100)
					n, err := unix.Read(r, got)
					s.must(err)
					if string(got[:n]) != line {
						t.Errorf("%q arrived, want %q", got[:n], line)
					}
				}
				if kind == "terminal" {
					unix.Write(out, []byte("\x04"))
				} else {
					unix.Close(out)
				}
				s.must(wait().err)
			})
		}
	}
}

// openEnded is a source that does not end until its other side is closed.
func (s *stage) openEnded(kind string) (in, out int) {
	s.Helper()
	switch kind {
	case "unix socket":
		in, out = s.unixSockets()
	case "TCP socket":
		in, out = s.tcpSockets()
	case "terminal":
		out, in = s.terminal()
		s.owns(out, nil)
	default:
		in, out = s.pipe()
	}
	return s.owns(in, nil), out
}

// startEither copies by m in the background, or for TeePipe to a file as well.
func (s *stage) startEither(m splice.Method, dst, src int) func() outcome {
	s.Helper()
	if m != splice.TeePipe {
		return s.start(dst, src, splice.Options{Method: m})
	}
	to := []*splice.Sink{{Descriptor: s.describe(dst)}, {Descriptor: s.describe(s.emptyFile("beside"))}}
	from, done := s.describe(src), make(chan outcome, 1)
	go func() {
		c := splice.New()
		defer c.Close()
		r, err := c.Tee(to, from, splice.TeeOptions{})
		done <- outcome{r, err}
	}()
	return func() outcome { return <-done }
}

// A reader that goes away is an error of the sink, at once, also for who
// ignores SIGPIPE, as the Go runtime does for raw calls.
func TestAReaderThatGoesAwayEndsTheCopy(t *testing.T) {
	for _, from := range []string{"regular file", "pipe", "/dev/zero", "TCP socket"} {
		for _, to := range []string{"pipe", "unix socket"} {
			for _, m := range methods {
				t.Run(from+" to "+to+" by "+m.String(), func(t *testing.T) {
					s := newStage(t, t.TempDir(), "", "")
					defer s.end()
					src, _ := sourceNamed(from).open(s, text, 0)
					const read = 100_000
					done := s.start(s.leavingReader(to, read), src, splice.Options{Method: m})()
					if refused(t, done, !mustServe(m, from, to)) {
						return
					}
					var failed *splice.WriteError
					if !errors.As(done.err, &failed) || failed.Err != unix.EPIPE && failed.Err != unix.ECONNRESET {
						t.Errorf("%v, want a broken pipe", done.err)
					}
					// It has read these; a pipe or a socket's buffer holds more.
					if n := done.report.Delivered; n < read || n > read+2<<20 {
						t.Errorf("%d bytes delivered", n)
					}
				})
			}
		}
	}
}

// Progress is asked often enough to serve a limit or an interruption.
func TestAnErrorOfProgressEndsTheCopySoon(t *testing.T) {
	enough := errors.New("enough")
	for _, m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src, dst := s.textFile("source", len(text)), s.emptyFile("sink")
			done := s.start(dst, src, splice.Options{Method: m, Progress: func(int64) error { return enough }})()
			if refused(t, done, m == splice.Reflink) {
				return
			}
			if done.err != enough || done.report.Delivered == 0 {
				t.Errorf("%v, %+v", done.err, done.report)
			}
			if got := s.content(dst); !bytes.Equal(got, text[:done.report.Delivered]) {
				t.Errorf("the sink's %d bytes are not the %d delivered", len(got), done.report.Delivered)
			}
		})
	}
}

// A tool goes on with the next file.
func TestADirectoryIsAReadError(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	for _, m := range methods {
		done := s.start(s.emptyFile("sink"), s.open(s.dir, unix.O_RDONLY), splice.Options{Method: m})()
		var failed *splice.ReadError
		if !errors.As(done.err, &failed) || failed.Err != unix.EISDIR {
			t.Errorf("%v: %v, want a read error, is a directory", m, done.err)
		}
	}
}

// The error of /proc/self/mem at 0 is the source's, whoever meets it.
func TestAnUnreadableSourceIsAReadError(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	for _, m := range []splice.Method{splice.Auto, splice.ReadWrite} {
		for _, to := range []string{"regular file", "pipe", "append file", "/dev/null"} {
			dst, _ := sinkNamed(to).open(s, 0, 0)
			done := s.start(dst, s.open("/proc/self/mem", unix.O_RDONLY), splice.Options{Method: m})()
			var failed *splice.ReadError
			if !errors.As(done.err, &failed) || failed.Err != unix.EIO {
				t.Errorf("%v to %s: %v, want a read error, EIO", m, to, done.err)
			}
		}
	}
}

func TestAConnectionThatIsResetIsAReadError(t *testing.T) {
	for _, m := range []splice.Method{splice.Auto, splice.Splice, splice.ReadWrite, splice.TeePipe} {
		t.Run(m.String(), func(t *testing.T) {
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			in, out := s.openEnded("TCP socket")
			dst := s.emptyFile("sink")
			wait := s.startEither(m, dst, in)
			_, err := unix.Write(out, text[:100])
			s.must(err)
			s.eventually("100 bytes", func() bool { return len(s.content(dst)) == 100 })
			s.must(unix.SetsockoptLinger(out, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
			unix.Close(out)
			var failed *splice.ReadError
			if o := wait(); !errors.As(o.err, &failed) || failed.Err != unix.ECONNRESET || o.report.Delivered != 100 {
				t.Errorf("%v, %+v, want a read error after 100 bytes", o.err, o.report)
			}
		})
	}
}

func TestDescriptorsThatAreNotOpenForTheJobSayWhose(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	s.textFile("source", len(text))
	s.emptyFile("other")
	writeOnly := s.open(s.dir+"/source", unix.O_WRONLY)
	readOnly := s.open(s.dir+"/source", unix.O_RDONLY)
	var read *splice.ReadError
	if done := s.start(s.emptyFile("sink"), writeOnly, splice.Options{})(); !errors.As(done.err, &read) || read.Err != unix.EBADF {
		t.Errorf("a source open for writing only: %v", done.err)
	}
	var write *splice.WriteError
	if done := s.start(s.open(s.dir+"/other", unix.O_RDONLY), readOnly, splice.Options{})(); !errors.As(done.err, &write) || write.Err != unix.EBADF {
		t.Errorf("a sink open for reading only: %v", done.err)
	}
}
