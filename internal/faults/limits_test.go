package faults

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"zeroutils/internal/testfs"
)

func TestBeyondTheLargestFileAToolDiesAsCatDoes(t *testing.T) {
	testfs.Need(t, "prlimit")
	for _, s := range toOneFile {
		t.Run(s.name, func(t *testing.T) {
			p := s.setUp(t, t.TempDir())
			p.under("prlimit", fmt.Sprintf("--fsize=%d", room))
			o := p.run()
			o.died(syscall.SIGXFSZ)
			o.filled(0)
		})
	}
}

func TestBeyondTheLargestFileAnIgnoredSignalIsAnError(t *testing.T) {
	testfs.Need(t, "prlimit")
	for _, s := range toOneFile {
		t.Run(s.name, func(t *testing.T) {
			s.sinks = append(s.sinks, sink{pipe, ""}) // ztee's, who fills it all the same
			if s.tool != "ztee" {
				s.sinks = s.sinks[:1]
			}
			p := s.setUp(t, t.TempDir())
			p.under("prlimit", fmt.Sprintf("--fsize=%d", room), "sh", "-c", `trap '' XFSZ; exec "$@"`, "sh")
			o := p.run()
			o.sinkFailed(0, "File too large")
			o.filled(0)
		})
	}
}

var toOneFile = []scene{
	{name: "zcat from a file", tool: "zcat", sources: fromFile, sinks: toFile},
	{name: "zcat by mmap", tool: "zcat", options: []string{"--method=mmap"}, sources: fromFile, sinks: toFile},
	{name: "zcat from a pipe", tool: "zcat", sources: fromPipe, sinks: toFile},
	{name: "zcat to the end of a file", tool: "zcat", sources: fromPipe, sinks: toAppend},
	{name: "zpipe", tool: "zpipe", sources: fromPipe, sinks: toFile},
	{name: "zpipe through a buffer", tool: "zpipe", options: []string{"--buffer=16M"}, sources: fromPipe, sinks: toFile},
	{name: "ztee", tool: "ztee", sources: fromPipe, sinks: toFile},
}

// filled checks that file i is as large as it could become.
func (o outcome) filled(i int) {
	o.Helper()
	if len(o.got[i]) != room {
		o.Errorf("%s has %d bytes, want %d", o.sinkName(i), len(o.got[i]), room)
	}
}

// A tool needs the standard descriptors and one for a file, whatever else it
// would like to have. Another one is lost in the Go runtime, which looks at its
// control group when it starts.
func TestWithFewDescriptorsTheDataIsReadAndWritten(t *testing.T) {
	testfs.Need(t, "prlimit")
	for _, s := range []scene{
		{name: "zcat to a pipe", tool: "zcat", sources: fromFile, sinks: toPipe},
		{name: "zcat to a file", tool: "zcat", sources: []source{{"a", big}, {"b", 700}}, sinks: toFile},
		{name: "zpipe", tool: "zpipe", sources: fromPipe, sinks: toPipe},
		{name: "ztee", tool: "ztee", sources: fromPipe, sinks: []sink{{pipe, ""}, {file, "a"}}},
	} {
		for limit := 5; limit <= 12; limit++ {
			t.Run(fmt.Sprintf("%s with %d", s.name, limit), func(t *testing.T) {
				p := s.setUp(t, t.TempDir())
				p.under("prlimit", fmt.Sprintf("--nofile=%d", limit))
				p.run().succeeded()
			})
		}
	}
	t.Run("three are not enough for a file", func(t *testing.T) {
		p := scene{tool: "zcat", sources: fromFile, sinks: toPipe}.setUp(t, t.TempDir())
		p.under("prlimit", "--nofile=3")
		p.run().sourceFailed(0, "Too many open files")
	})
}

// A container's filter of system calls answers in place of the kernel.
func TestWithoutTheFastCallsEverythingIsReadAndWritten(t *testing.T) {
	needStrace(t)
	for _, errno := range []string{"ENOSYS", "EPERM"} {
		for _, s := range scenes {
			t.Run(s.name+" and "+errno, func(t *testing.T) {
				t.Parallel()
				s.options = append([]string{"--stats=json"}, s.options...)
				p := s.setUp(t, t.TempDir())
				p.trace("", injection{call: "splice,tee,copy_file_range,sendfile,pipe2", errno: errno, when: "1+"})
				o := p.run()
				o.ended(0)
				for i := range s.sinks {
					o.isComplete(i)
				}
				all := size(s.parts())
				if s.tool == "ztee" {
					all *= len(s.sinks)
				}
				if want := fmt.Sprintf(`"methods":{"readwrite":%d}`, all); !strings.Contains(o.said, want) {
					t.Errorf("want %s in %s", want, o.said)
				}
			})
		}
	}
}
