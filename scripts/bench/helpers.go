package main

import (
	"fmt"
	"io"
	"os"
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
		return s.writeTo(os.Stdout, 0, n)
	case "vmsplice":
		return s.vmsplice(n)
	case "compare":
		return s.compare(os.Stdin, 0, n)
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
		piece := s.piece(offset, end, bigPipe)
		iov := unix.Iovec{Base: &piece[0]}
		iov.SetLen(len(piece))
		n, err := unix.Vmsplice(1, []unix.Iovec{iov}, 0)
		if err != nil {
			return os.NewSyscallError("vmsplice", err)
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
	take := func() (int64, error) {
		if how == "splice" {
			return unix.Splice(0, nil, int(null.Fd()), nil, bigPipe, 0)
		}
		n, err := unix.Read(0, buf)
		return int64(n), err
	}
	got := int64(0)
	for n := int64(1); n > 0; got += n {
		if n, err = take(); err != nil {
			return os.NewSyscallError(how, err)
		}
	}
	if got != want {
		return fmt.Errorf("%d bytes came instead of %d", got, want)
	}
	return nil
}
