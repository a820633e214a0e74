package splice_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// The peak resident size after two gigabytes (ten with ZEROUTILS_LONG=1) is
// that after a few megabytes, give or take what the runtime does by itself.
func TestMemoryDoesNotGrowWithTheData(t *testing.T) {
	size := int64(512 << 20)
	if long {
		size = 10 << 30
	}
	const slack = 32 << 20
	for _, m := range []splice.Method{splice.Splice, splice.ReadWrite} {
		t.Run(m.String(), func(t *testing.T) {
			few, many := peakOf(t, m, 8<<20), peakOf(t, m, size)
			t.Logf("%d KiB, %d KiB", few>>10, many>>10)
			if many > few+slack {
				t.Errorf("peak was %d KiB after 8 MiB and %d KiB after %d MiB", few>>10, many>>10, size>>20)
			}
		})
	}
}

// peakOf has a child copy n bytes from a pipe to /dev/null.
func peakOf(t *testing.T, m splice.Method, n int64) int64 {
	t.Helper()
	s := newStage(t, "", "", "")
	defer s.end()
	r, w := s.pipe()
	s.owns(r, nil)
	splice.RaisePipe(w, 1<<20)
	done := make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		defer unix.Close(w)
		for left := n; left > 0; {
			written, err := unix.Write(w, text[:min(left, 1<<20)])
			if err != nil && err != unix.EINTR {
				return
			}
			left -= int64(max(written, 0))
		}
	}()
	child := asChild(t, "measure memory", []*os.File{s.inherited(r)}, m.String())
	out, err := child.Output()
	s.must(err)
	var delivered, peak int64
	if _, err := fmt.Sscan(string(out), &delivered, &peak); err != nil || delivered != n {
		t.Fatalf("child: %q, %v", out, err)
	}
	return peak
}

// memoryRole prints the bytes it copied from descriptor 3 to /dev/null, and
// its peak resident size.
func memoryRole() {
	m, _ := splice.ParseMethod(os.Args[1])
	null, err := unix.Open("/dev/null", unix.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	r, err := splice.New().Copy(mustDescribe(null), mustDescribe(3), splice.Options{Method: m})
	if err != nil {
		panic(err)
	}
	runtime.KeepAlive(text)
	status, _ := os.ReadFile("/proc/self/status")
	kib, _ := strconv.ParseInt(strings.TrimSuffix(fields(string(status), "VmHWM"), " kB"), 10, 64)
	fmt.Println(r.Delivered, kib<<10)
}
