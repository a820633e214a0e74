package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// busy are scenes that take a while.
var busy = []scene{
	{name: "zcat to a pipe", tool: "zcat", sources: threeFiles, sinks: toPipe},
	{name: "zcat to a file", tool: "zcat", sources: threeFiles, sinks: toFile},
	{name: "zcat by copy_file_range", tool: "zcat", options: []string{"--method=copy_file_range"}, sources: threeFiles, sinks: toFile},
	{name: "zcat by read and write", tool: "zcat", options: []string{"--method=readwrite"}, sources: threeFiles, sinks: toAppend},
	{name: "zpipe", tool: "zpipe", sources: []source{{"-", 4 << 20}}, sinks: toPipe},
	{name: "ztee", tool: "ztee", sources: []source{{"-", 4 << 20}}, sinks: []sink{{pipe, ""}, {file, "a"}, {pipe, ""}, {file, "b"}}},
	{name: "ztee to the end of a file", tool: "ztee", options: []string{"-a"}, sources: []source{{"-", 4 << 20}}, sinks: []sink{{null, ""}, {appends, "a"}, {file, "b"}}},
}

var threeFiles = []source{{"a", 4 << 20}, {"b", 4<<20 - 1}, {"c", 4 << 20}}

// forAWhile runs a test in each busy scene several times, with the time that
// the scene takes undisturbed.
func forAWhile(t *testing.T, test func(p *play, takes time.Duration)) {
	rounds := 8
	switch {
	case long:
		rounds = 200
	case testing.Short():
		rounds = 2
	}
	for _, s := range busy {
		t.Run(s.name, func(t *testing.T) {
			p := s.setUp(t, t.TempDir())
			start := time.Now()
			p.run().succeeded()
			takes := time.Since(start)
			for range rounds {
				dir, err := os.MkdirTemp(t.TempDir(), "")
				if err != nil {
					t.Fatal(err)
				}
				test(s.setUp(t, dir), takes)
				os.RemoveAll(dir)
			}
		})
	}
}

func TestWhatAKilledToolHasWrittenIsABeginning(t *testing.T) {
	forAWhile(t, func(p *play, takes time.Duration) {
		p.start()
		time.Sleep(rand.N(takes))
		_ = p.cmd.Process.Kill() // or it has ended
		o := p.wait()
		if o.state.Success() {
			o.succeeded()
		} else {
			o.died(syscall.SIGKILL)
		}
	})
}

func TestAStoppedToolGoesOnWhereItWas(t *testing.T) {
	forAWhile(t, func(p *play, takes time.Duration) {
		p.start()
		for range 3 {
			time.Sleep(rand.N(takes))
			_ = p.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(time.Millisecond)
			_ = p.cmd.Process.Signal(syscall.SIGCONT)
		}
		p.wait().succeeded()
	})
}

func TestABrokenPipeKillsUnlessItIsIgnored(t *testing.T) {
	for _, s := range []scene{
		{tool: "zcat", sources: fromFile, sinks: toPipe},
		{tool: "zcat", options: []string{"--method=readwrite"}, sources: fromFile, sinks: toPipe},
		{tool: "zpipe", sources: fromPipe, sinks: toPipe},
		{tool: "ztee", sources: fromPipe, sinks: []sink{{pipe, ""}, {file, "a"}}},
	} {
		t.Run(s.tool, func(t *testing.T) {
			p := s.setUp(t, t.TempDir())
			p.leave(0)
			p.run().died(syscall.SIGPIPE)

			p = s.setUp(t, t.TempDir())
			p.leave(0)
			p.under("sh", "-c", `trap '' PIPE; exec "$@"`, "sh")
			if s.tool == "ztee" { // as tee does
				p.run().sinkLost(0)
				return
			}
			p.run().sinkFailed(0, "Broken pipe")
		})
	}
}

// The kernel tells the holder of a lease by a signal that somebody waits. Here
// strace holds zcat up as soon as it has the lease, until somebody does.
func TestAWriterThatComesAsSoonAsThereIsALeaseDoesNotKill(t *testing.T) {
	needStrace(t)
	testfs.Setting(t, "/proc/sys/fs/lease-break-time", "45")
	p := scene{tool: "zcat", options: []string{"--stable"}, sources: fromFile, sinks: toPipe}.setUp(t, t.TempDir())
	file := filepath.Join(p.dir, p.sources[0].name)
	opened := make(chan struct{})
	p.read = func(r *os.File) []byte {
		<-opened // until then the lease is held
		return readAll(r)
	}
	p.under("strace", "-f", "--seccomp-bpf", "-qqq", "-o", os.DevNull, "-P", file,
		"-e", "trace=fcntl", "-e", "inject=fcntl:delay_exit=300000:when=2..4")
	p.start()
	p.waitForLease(file)
	if _, err := unix.Open(file, unix.O_WRONLY|unix.O_NONBLOCK, 0); err != unix.EAGAIN {
		t.Errorf("opened for writing: %v", err)
	}
	close(opened)
	p.wait().succeeded()
}

// waitForLease returns when somebody has a lease on the file.
func (p *play) waitForLease(file string) {
	p.Helper()
	var st unix.Stat_t
	p.must(unix.Stat(file, &st))
	lease := regexp.MustCompile(fmt.Sprintf(`LEASE .*:%d `, st.Ino))
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		locks, err := os.ReadFile("/proc/locks")
		p.must(err)
		if lease.Match(locks) {
			return
		}
	}
	p.Fatal("nobody takes a lease")
}
