package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// The ways to move a file that textbooks compare. The bench runs itself for
// them, as the tool "way":
//
//	way WAY SOURCE [HOST:PORT]   SOURCE is a file, or - for standard input
var ways = map[string]func(in, out bare, size int) error{
	"read+write": func(in, out bare, _ int) error {
		return loop(in.Read, out, make([]byte, chunk))
	},
	"mmap+write": func(in, out bare, size int) error {
		data, err := unix.Mmap(int(in), 0, size, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return os.NewSyscallError("mmap", err)
		}
		for piece := range slices.Chunk(data, chunk) {
			if _, err := out.Write(piece); err != nil {
				return err
			}
		}
		return nil
	},
	"sendfile": func(in, out bare, _ int) error {
		return untilEnd(func() (int, error) { return unix.Sendfile(int(out), int(in), nil, bigPipe) })
	},
	"splice": func(in, out bare, _ int) error {
		if isPipe(in) || isPipe(out) {
			return untilEnd(func() (int, error) { return in.splice(out) })
		}
		return throughPipe(in, out)
	},
	"direct": func(in, out bare, _ int) error {
		for _, fd := range []bare{in, out} {
			if isPipe(fd) {
				continue
			}
			flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
			if err == nil {
				_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_DIRECT)
			}
			if err != nil {
				return os.NewSyscallError("O_DIRECT", err)
			}
		}
		buf, err := unix.Mmap(-1, 0, bigPipe, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return os.NewSyscallError("mmap", err)
		}
		return loop(func(p []byte) (n int, err error) { // whole blocks, also from a pipe
			for n < len(p) && err == nil {
				var more int
				more, err = in.Read(p[n:])
				n += more
			}
			if n > 0 {
				return n, nil
			}
			return n, err
		}, out, buf)
	},
}

func way(args []string) (err error) {
	runtime.LockOSThread()
	if len(args) < 2 || len(args) > 3 || ways[args[0]] == nil {
		return errors.New("usage: way WAY SOURCE [HOST:PORT]")
	}
	in, out := bare(0), bare(1)
	if args[1] != "-" {
		f, err := os.Open(args[1])
		if err != nil {
			return err
		}
		defer f.Close()
		in = bare(f.Fd())
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(in), &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if len(args) == 3 {
		if out, err = dial(args[2]); err != nil {
			return err
		}
	}
	return ways[args[0]](in, out, int(st.Size))
}

// dial connects a socket that blocks, as a C program has it.
func dial(address string) (bare, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	f, err := conn.(*net.TCPConn).File()
	if err != nil {
		return 0, err
	}
	fd, err := unix.Dup(int(f.Fd()))
	if err == nil {
		err = errors.Join(conn.Close(), f.Close(), unix.SetNonblock(fd, false))
	}
	return bare(fd), err
}

func loop(read func([]byte) (int, error), out bare, buf []byte) error {
	for {
		n, err := read(buf)
		if n == 0 {
			return ignoreEnd(err)
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return err
		}
	}
}

func ignoreEnd(err error) error {
	if err != nil && err.Error() == "EOF" {
		return nil
	}
	return err
}

func untilEnd(call func() (int, error)) error {
	for {
		n, err := call()
		if err == unix.EINTR {
			continue
		}
		if n == 0 || err != nil {
			return err
		}
	}
}

// throughPipe is splice between two that are no pipes.
func throughPipe(in, out bare) error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	r, w := bare(pipe[0]), bare(pipe[1])
	if _, err := unix.FcntlInt(uintptr(w), unix.F_SETPIPE_SZ, bigPipe); err != nil {
		return os.NewSyscallError("F_SETPIPE_SZ", err)
	}
	return untilEnd(func() (int, error) {
		n, err := in.splice(w)
		for left := n; left > 0 && err == nil; {
			var moved int
			moved, err = r.splice(out)
			left -= moved
		}
		return n, err
	})
}

func isPipe(fd bare) bool {
	var st unix.Stat_t
	return unix.Fstat(int(fd), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO
}

// A bookWay is what textbooks say of a way from a disk to a network, for each
// piece that is moved.
type bookWay struct {
	name                 string // in [ways]
	cpuCopies, dmaCopies int
	calls, modeSwitches  int
}

// Each call is a switch to the kernel and one back.
var bookWays = []bookWay{
	{"read+write", 2, 2, 2, 4},
	{"mmap+write", 1, 2, 2, 4},
	{"sendfile", 0, 2, 1, 2}, // with a network card that gathers; 1 copy without
	{"splice", 0, 2, 2, 4},
}

func (b bookWay) String() string {
	return fmt.Sprintf("%d | %d | %d | %d", b.cpuCopies, b.dmaCopies, b.calls, b.modeSwitches)
}
