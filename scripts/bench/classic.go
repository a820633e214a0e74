package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The experiment with which zero-copy was introduced to many: two processes copy
// a file, through a pipe or through memory that they share. What counts is how
// long each of them is at work.

// classicSize is the size of the file in bytes, classicRuns the number of runs.
const (
	classicSize = 1400 << 20
	classicRuns = 5
)

type classicFigures struct {
	Way      string  `json:"way"`
	Sender   []int64 `json:"sender"`   // nanoseconds of each run until it exits
	Receiver []int64 `json:"receiver"` // the same
	CPU      int64   `json:"cpu"`      // nanoseconds of both, mean
	Switches int64   `json:"switches"` // context switches of both, mean
	Error    string  `json:"error,omitempty"`
}

// shared is the way through memory that both processes have mapped.
const shared = "mmap, memcpy through shared memory, mmap"

// classicWays are pairs of ways that the bench itself knows, and our own tools.
var classicWays = []struct{ name, sender, receiver string }{
	{"read, write through a pipe, read, write", "read+write", "read+write"},
	{shared, "share", "share"},
	{"splice through a pipe, splice", "splice", "splice"},
	{"mmap, write through a pipe, read, write", "mmap+write", "read+write"},
	{"sendfile to a pipe, splice", "sendfile", "splice"},
	{"direct I/O, read, write through a pipe, read, write", "direct", "direct"},
	{"zcat in | zcat > out", "", ""},
}

func runClassic(ctx context.Context, g *ground, tools toolbox) (all []classicFigures, err error) {
	dir := filepath.Join(g.root, "classic")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in, err := os.Create(filepath.Join(dir, "in"))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if err := cmp.Or(g.stream.writeTo(in, 0, classicSize), syncfs(dir)); err != nil {
		return nil, err
	}
	for _, w := range classicWays {
		all = append(all, classicFigures{Way: w.name})
	}
	for run := range 1 + classicRuns { // the first is for checking
		for i, w := range classicWays {
			if all[i].Error != "" || ctx.Err() != nil {
				continue
			}
			sender, receiver := exec.Command("/proc/self/exe", "way", w.sender, "in"), exec.Command("/proc/self/exe", "way", w.receiver, "-")
			switch {
			case w.name == shared:
				sender, receiver = exec.Command("/proc/self/exe", "share", "in"), exec.Command("/proc/self/exe", "share", "out", strconv.Itoa(classicSize))
			case w.sender == "":
				zcat := tools["zcat"][0].argv[0]
				sender, receiver = exec.Command(zcat, "in"), exec.Command(zcat)
			}
			if err := all[i].run(dir, sender, receiver, run > 0, g); err != nil {
				all[i].Error = err.Error()
			}
		}
	}
	for i := range all {
		all[i].CPU /= classicRuns
		all[i].Switches /= classicRuns
	}
	return all, ctx.Err()
}

// run lets two processes copy in to out once.
func (c *classicFigures) run(dir string, sender, receiver *exec.Cmd, timed bool, g *ground) error {
	name := filepath.Join(dir, "out")
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	out, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		return err
	}
	memory, err := sharedMemory()
	if err != nil {
		return err
	}
	defer memory.Close()
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, bigPipe); err != nil {
		return os.NewSyscallError("F_SETPIPE_SZ", err)
	}
	sender.Stdout, receiver.Stdin, receiver.Stdout = w, r, out
	if c.Way == shared {
		sender.Stdin, receiver.Stdout = r2, w2
		sender.ExtraFiles, receiver.ExtraFiles = []*os.File{memory}, []*os.File{memory}
	}
	begin := time.Now()
	took := make([]time.Duration, 2)
	errs := make([]error, 2)
	done := make(chan int)
	for i, cmd := range []*exec.Cmd{receiver, sender} {
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		if errs[i] = cmd.Start(); errs[i] != nil {
			continue
		}
		go func() {
			errs[i] = cmd.Wait()
			took[i] = time.Since(begin)
			done <- i
		}()
	}
	for _, f := range []*os.File{r, w, r2, w2} {
		f.Close()
	}
	for _, cmd := range []*exec.Cmd{receiver, sender} {
		if cmd.Process != nil {
			<-done
		}
	}
	if err := cmp.Or(errs[0], errs[1]); err != nil {
		return err
	}
	if !timed {
		if _, err := out.Seek(0, 0); err != nil {
			return err
		}
		return g.stream.compare(out, 0, classicSize)
	}
	c.Receiver, c.Sender = append(c.Receiver, int64(took[0])), append(c.Sender, int64(took[1]))
	for _, cmd := range []*exec.Cmd{receiver, sender} {
		c.CPU += int64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		c.Switches += usage.Nvcsw + usage.Nivcsw
	}
	return nil
}

// Shared memory has slots of a chunk. A byte through one pipe says that a slot
// is full, one through the other that it is free again.
const slots = 16

func sharedMemory() (*os.File, error) {
	fd, err := unix.MemfdCreate("shared", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), "shared"), unix.Ftruncate(fd, slots*chunk)
}

// share is a process of the experiment: "share in" sends that file by way of the
// memory of descriptor 3, and "share out BYTES" receives it.
func share(args []string) error {
	runtime.LockOSThread()
	memory, err := unix.Mmap(3, 0, slots*chunk, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	f, err := os.OpenFile(args[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	size := classicSize
	sends := len(args) == 1
	if !sends {
		if size, err = strconv.Atoi(args[1]); err == nil {
			err = f.Truncate(int64(size))
		}
		if err != nil {
			return err
		}
	}
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	token := make([]byte, 1)
	piece, pieces := 0, (len(data)+chunk-1)/chunk
	for part := range slices.Chunk(data, chunk) {
		slot := memory[piece%slots*chunk:][:len(part)]
		if sends && piece >= slots || !sends {
			if _, err := bare(0).Read(token); err != nil {
				return fmt.Errorf("the other process: %w", err)
			}
		}
		if sends {
			copy(slot, part)
		} else {
			copy(part, slot)
		}
		if sends || piece < pieces-slots { // who sends asks for no more
			if _, err := bare(1).Write(token); err != nil {
				return err
			}
		}
		piece++
	}
	return nil
}
