package faults

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testbin"
)

// What a stream costs a tool at most, in KiB, and how many MiB come.
const (
	mostMemory = 12 << 10
	muchData   = 128
)

func TestAStreamTakesLittleMemory(t *testing.T) {
	tools := testbin.Dir(t)
	hugePages(t, false)
	t.Cleanup(func() { hugePages(t, true) })
	for _, line := range []string{
		"zcat", "zcat -n", "zcat --method=readwrite", "ztee file", "ztee -a file", "ztee --method=readwrite file",
		"zpipe", "zpipe --method=readwrite -L 100G -fpr -D 100", "zcp /proc/self/fd/0 /proc/self/fd/1", "zcp --sparse=always /proc/self/fd/0 file",
	} {
		t.Run(line, func(t *testing.T) {
			words := strings.Fields(line)
			cmd := exec.CommandContext(t.Context(), filepath.Join(tools, words[0]), words[1:]...)
			cmd.Dir, cmd.Stderr = t.TempDir(), os.Stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			drained := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, out)
				close(drained)
			}()
			for range muchData {
				if _, err := in.Write(noise[:1<<20]); err != nil {
					t.Fatal(err)
				}
			}
			peak := peakOf(t, cmd.Process.Pid) // all but what pipes hold has come
			in.Close()
			<-drained
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if peak > mostMemory {
				t.Errorf("%d KiB", peak)
			}
		})
	}
}

// hugePages says whether programs that are started may get pages of 2 MiB,
// which they do as the kernel has some left.
func hugePages(t *testing.T, may bool) {
	t.Helper()
	never := uintptr(1)
	if may {
		never = 0
	}
	if err := unix.Prctl(unix.PR_SET_THP_DISABLE, never, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
}

// peakOf is the peak resident size of a process, in KiB.
func peakOf(t *testing.T, pid int) (kib int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
