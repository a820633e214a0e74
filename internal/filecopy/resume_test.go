package filecopy

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// The samples of a large file are far apart, but not those of its end.
func TestBothEndsOfAPartialCopyAreCompared(t *testing.T) {
	const size = 40 << 20
	dir := testfs.Shared(t, "tmpfs")
	data := random(size)
	write(t, filepath.Join(dir, "src"), string(data)+"more")
	r := newRun(t, Options{Safety: Safety{Resume: true}})
	src := opened(t, filepath.Join(dir, "src"), unix.O_RDONLY)
	for _, at := range []int{-1, 0, sample - 1, size - sampledEnd, size - 1} {
		if at >= 0 {
			data[at]++
		}
		write(t, filepath.Join(dir, "dst"), string(data))
		if at >= 0 {
			data[at]--
		}
		dst := opened(t, filepath.Join(dir, "dst"), unix.O_RDWR)
		why, p := r.noBeginning(dst, src)
		if p != nil || (why == "") != (at < 0) {
			t.Errorf("with another byte at %d: %q, %v", at, why, p)
		}
	}
}
