package faults

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// share makes a descriptor nonblocking, as another process may that shares it,
// and checks at the end that it still is.
func (p *play) share(f *os.File) {
	p.Helper()
	other, err := unix.Dup(int(f.Fd()))
	p.must(err)
	p.must(unix.SetNonblock(other, true))
	p.finally = append(p.finally, func() {
		flags, err := unix.FcntlInt(uintptr(other), unix.F_GETFL, 0)
		p.must(err)
		if flags&unix.O_NONBLOCK == 0 {
			p.Error("the flag of a shared descriptor has been changed")
		}
		unix.Close(other)
	})
}

// slowly reads a little when the tool sleeps, and the rest when it sleeps again.
func (p *play) slowly(r *os.File) []byte {
	p.sleeps()
	some := make([]byte, 100_000)
	n, _ := r.Read(some)
	p.sleeps()
	return append(some[:n], readAll(r)...)
}

// inPieces writes what a source has, and goes on whenever the tool sleeps.
func (p *play) inPieces(w *os.File, data []byte) {
	defer w.Close()
	for _, n := range []int{1, 5000, 300_000} {
		_, _ = w.Write(data[:n])
		data = data[n:]
		p.sleeps()
	}
	_, _ = w.Write(data)
}

// sleeps returns when the tool was asleep at many looks in a row: one that does
// not wait but looks again and again would be found at it.
func (p *play) sleeps() {
	for looks := 0; looks < 20 && p.ctx.Err() == nil; looks++ {
		time.Sleep(time.Millisecond)
		if p.awake() {
			looks = -1
		}
	}
}

// awake reports whether a thread of the tool runs, or is about to.
func (p *play) awake() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
	return slices.ContainsFunc(threads, func(path string) bool {
		stat, _ := os.ReadFile(path) // there is none of a thread that has ended
		return bytes.Contains(stat, []byte(") R "))
	})
}

func TestSlowNeighboursAreWaitedFor(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.setUp(t, t.TempDir()).runSlowly()
		})
		t.Run(s.name+" that are nonblocking", func(t *testing.T) {
			t.Parallel()
			testfs.NotOnFUSE(t) // whose files can be polled: os.File.Fd makes them blocking again
			p := s.setUp(t, t.TempDir())
			for _, end := range p.close {
				p.share(end)
			}
			p.runSlowly()
		})
	}
}

// runSlowly runs the tool with slow neighbours at all pipes. If it did not sleep
// while it waits for them, it would not end in time.
func (p *play) runSlowly() {
	p.Helper()
	p.feed, p.read = p.inPieces, p.slowly
	p.run().succeeded()
}

func TestAReaderThatLeavesMidwayKills(t *testing.T) {
	for _, s := range scenes {
		if s.sinks[0].kind != pipe {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			p := s.setUp(t, t.TempDir())
			p.read = leaveEarly
			p.run().died(unix.SIGPIPE)
		})
	}
}

func leaveEarly(r *os.File) []byte {
	some := make([]byte, 1000)
	n, _ := r.Read(some)
	r.Close()
	return some[:n]
}

func TestWithPAReaderThatLeavesCostsNobodyElseAnything(t *testing.T) {
	s := scene{tool: "ztee", options: []string{"-p"}, sources: fromPipe, sinks: []sink{{pipe, ""}, {file, "a"}, {file, "b"}}}
	p := s.setUp(t, t.TempDir())
	p.read = leaveEarly
	o := p.run()
	o.ended(0)
	o.saidNothing()
	o.isBeginning(0)
	o.isComplete(1)
	o.isComplete(2)
}

// Whatever is closed, no byte goes to a file it is not for, and data that has
// nowhere to go or to come from is an error.
func TestClosedDescriptorsTakeNoData(t *testing.T) {
	for closed := range 8 {
		words := ""
		for fd, word := range []string{"<&-", ">&-", "2>&-"} {
			if closed>>fd&1 != 0 {
				words += " " + word
			}
		}
		noStdin, noStdout, noStderr := closed&1 != 0, closed&2 != 0, closed&4 != 0
		for _, s := range []scene{
			{tool: "zcat", sources: []source{{"in", big}}, sinks: toFile},
			{tool: "zcat", sources: fromPipe, sinks: toFile},
			{tool: "zpipe", sources: fromPipe, sinks: toFile},
			{tool: "ztee", sources: fromPipe, sinks: []sink{{file, "out"}, {file, "a"}, {file, "b"}}},
		} {
			t.Run(fmt.Sprintf("%s of %s%s", s.tool, s.sources[0].name, words), func(t *testing.T) {
				p := s.setUp(t, t.TempDir())
				p.under("sh", "-c", `exec "$@"`+words, "sh")
				o := p.run()
				unread := noStdin && s.sources[0].name == "-"
				status := 0
				if unread || noStdout {
					status = 1
				}
				o.ended(status)
				if status == 0 || noStderr {
					o.saidNothing()
				} else if !bytes.HasSuffix([]byte(o.said), []byte(": Bad file descriptor\n")) {
					t.Errorf("said %q", o.said)
				}
				for i := range s.sinks {
					if unread || i == 0 && noStdout {
						o.isEmpty(i)
					} else {
						o.isComplete(i)
					}
				}
			})
		}
	}
}

// The first file that is opened must not become standard error.
func TestMessagesForAClosedDescriptorGoToNoFile(t *testing.T) {
	s := scene{tool: "ztee", sources: fromPipe, sinks: []sink{{null, ""}, {file, "a"}, {file, "b"}}}
	p := s.setUp(t, t.TempDir())
	p.cmd.Args = append(p.cmd.Args, "nowhere/c", ".")
	p.under("sh", "-c", `exec "$@" 2>&-`, "sh")
	o := p.run()
	o.ended(1)
	o.isComplete(1)
	o.isComplete(2)
}
