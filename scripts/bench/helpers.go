package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// help is what the bench runs itself for, around a tool:
//
//	produce write|vmsplice|tcp|unix BYTES       writes to standard output
//	consume read|splice|compare|tcp|unix BYTES  reads standard input to its end
//
// A standard descriptor that is a listening socket stands for its first
// connection. Those that splice raise their pipe first. A helper that is ready says so on
// descriptor 3, and begins at the end of descriptor 4.
func help(what, how, length string) error {
	runtime.LockOSThread()
	n, err := strconv.ParseInt(length, 10, 64)
	if err != nil {
		return err
	}
	s, err := newStream()
	if err != nil {
		return err
	}
	if how == "splice" || how == "vmsplice" {
		if err := raisePipe(what); err != nil {
			return err
		}
	}
	if _, err := unix.Write(3, []byte{0}); err != nil {
		return os.NewSyscallError("write", err)
	}
	if _, err := io.ReadAll(os.NewFile(4, "start")); err != nil {
		return err
	}
	for fd := range 2 {
		if isListener(fd) {
			if err := accept(fd); err != nil {
				return err
			}
		}
	}
	switch {
	case what == "produce" && isSocket(how):
		how = "write"
	case isSocket(how):
		how = "read"
	}
	switch how {
	case "write":
		return s.writeTo(bare(1), 0, n)
	case "vmsplice":
		return s.vmsplice(n)
	case "compare":
		return s.compare(bare(0), 0, n)
	}
	return drain(how, n)
}

func raisePipe(what string) error {
	fd := os.Stdin.Fd()
	if what == "produce" {
		fd = os.Stdout.Fd()
	}
	_, err := unix.FcntlInt(fd, unix.F_SETPIPE_SZ, bigPipe)
	return os.NewSyscallError("F_SETPIPE_SZ", err)
}

// vmsplice lends the pages of the stream to a pipe instead of copying them.
func (s stream) vmsplice(end int64) error {
	for offset := int64(0); offset < end; {
		n, err := bare(1).vmsplice(s.piece(offset, end, bigPipe))
		if err != nil {
			return err
		}
		offset += int64(n)
	}
	return nil
}

// drain takes standard input by read, or by splice to /dev/null, and fails
// unless there are want bytes.
func drain(how string, want int64) error {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	buf := make([]byte, chunk)
	take := func() (int, error) {
		if how == "splice" {
			return bare(0).splice(bare(null.Fd()))
		}
		return bare(0).Read(buf)
	}
	got := int64(0)
	for n := 1; n > 0; got += int64(n) {
		if n, err = take(); err != nil && err != io.EOF {
			return err
		}
	}
	if got != want {
		return fmt.Errorf("%d bytes came instead of %d", got, want)
	}
	return nil
}
