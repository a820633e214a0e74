package rawio_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/rawio"
	"zeroutils/internal/testfs"
)

func TestAFullNonblockingPipeIsWaitedFor(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	r := os.NewFile(uintptr(pipe[0]), "pipe")
	defer r.Close()
	want := bytes.Repeat([]byte("a line\n"), 100_000) // more than the pipe holds
	written := make(chan error, 1)
	go func() {
		written <- rawio.WriteAll(pipe[1], want)
		unix.Close(pipe[1])
	}()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes and %v, want %d", len(got), err, len(want))
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestTheErrorIsThatOfWrite(t *testing.T) {
	full, err := unix.Open("/dev/full", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		testfs.Unavailable(t, err.Error())
	}
	defer unix.Close(full)
	if err := rawio.WriteAll(full, []byte("x")); err != unix.ENOSPC {
		t.Errorf("%v, want ENOSPC", err)
	}
}
