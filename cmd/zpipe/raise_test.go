package main

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// pipeOf returns a pipe that holds size bytes.
func pipeOf(t *testing.T, size int) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, size); err != nil {
		t.Fatal(err)
	}
	return r, w
}

func sizeOf(t *testing.T, f *os.File) int {
	t.Helper()
	size, err := unix.FcntlInt(f.Fd(), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func TestBothPipesAreRaisedButNeverLowered(t *testing.T) {
	testfs.NeedPipeAllowance(t)
	for _, c := range []struct {
		options       []string
		before, after int
	}{
		{nil, 4096, 1 << 20},
		{nil, 64 << 10, 1 << 20},
		{nil, 1 << 20, 1 << 20},
		{[]string{"--pipe-size=128K"}, 64 << 10, 128 << 10},
		{[]string{"--pipe-size=128K"}, 256 << 10, 256 << 10},
		{[]string{"--pipe-size=0"}, 4096, 4096},
	} {
		inR, inW := pipeOf(t, c.before)
		outR, outW := pipeOf(t, c.before)
		if _, err := inW.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("zpipe", c.options...) // testscript.Main has put it into PATH
		cmd.Stdin, cmd.Stdout = inR, outW
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := outR.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if in, out := sizeOf(t, inW), sizeOf(t, outR); in != c.after || out != c.after {
			t.Errorf("%q: pipes of %d became %d and %d, want %d", c.options, c.before, in, out, c.after)
		}
		inW.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}
