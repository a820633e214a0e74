package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
	"zeroutils/internal/procstart"
	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A pv moves files to one output, and shows how far that is.
type pv struct {
	pvOptions
	inv    *tool.Invocation
	status int // so far: bits

	out     *splice.Descriptor
	outName string
	copier  *splice.Copier
	limiter *splice.Limiter
	pace    writePace // of what is looked at

	meter   *meter.Meter
	display *meter.Display
	storing bool  // in the first part of -U
	read    bool  // standard input has been read to its end
	left    int64 // that may still pass; negative is any number
	line    meter.Format
	keeps   bool       // what the display shows of the bytes
	hole    bool       // the output ends in bytes that were not written
	mu      sync.Mutex // guards seen
	seen    meter.Seen
	state   meter.State // that was drawn last
	longest int         // how much of the end is kept
	partial []byte      // the line that has not ended
}

// errOver ends a transfer in order: the size has passed, or nobody reads the
// output any more.
var errOver = errors.New("over")

// fail prints an error and adds a bit to the status.
func (p *pv) fail(bit int, format string, args ...any) {
	p.status |= bit
	p.inv.Warnf(format, args...)
}

// transfer moves the files, "-" or none being standard input.
func (p *pv) transfer(names []string) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	signals.CatchPipe()
	p.catchSignals()
	if !p.openOutput() {
		return
	}
	defer p.closeOutput()
	names, total := p.measure(names)
	if len(names) == 0 {
		return
	}
	if p.storeFile != "" {
		p.throughStore(names, total)
		return
	}
	p.move(names, total)
}

// move moves files to the output under one display.
func (p *pv) move(names []string, total int64) {
	p.begin(total)
	for _, name := range names {
		if err := p.moveFile(name); err != nil {
			break
		}
	}
	p.end()
}

// openOutput finds out where to write to.
func (p *pv) openOutput() bool {
	p.outName = "(stdout)"
	fd, err := 1, error(nil)
	switch {
	case p.discard:
		fd, err = tool.Open("/dev/null", unix.O_WRONLY, 0)
	case p.output != "":
		p.outName = p.output
		fd, err = tool.Open(p.output, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, created)
	case procstart.Closed(1):
		err = unix.EBADF
	}
	if err == nil {
		p.out, err = splice.Describe(fd)
	}
	if err != nil {
		p.fail(pvNoAccess, "%s: %v", p.outName, err)
		return false
	}
	p.copier = splice.New()
	p.copier.BufferSize = p.bufferSize
	if p.pipe > 0 {
		p.copier.PipeSize = p.pipe
	}
	if p.out.Kind == splice.Pipe {
		_, _ = splice.RaisePipe(fd, p.pipeSize()) // a smaller pipe works as well
	}
	if p.rate > 0 {
		p.limiter, p.pace.perSecond = splice.NewLimiter(p.rate), p.rate
	}
	return true
}

// created is the mode of a new file, less the umask.
const created = 0o666

func (p *pv) pipeSize() int {
	if p.pipe > 0 {
		return p.pipe
	}
	return splice.DefaultPipeSize
}

func (p *pv) closeOutput() {
	p.copier.Close()
	if p.out.FD == 1 {
		return // closed, and asked, when the tool ends
	}
	if err := unix.Close(p.out.FD); err != nil {
		p.fail(pvTransfer, "%s: %v", p.outName, err)
	}
}

// measure leaves out the files that are not there, and says how much the others
// hold together: 0 if that is not known of all.
func (p *pv) measure(names []string) (there []string, total int64) {
	known := true
	for _, name := range names {
		size, err := p.sizeOf(name)
		if err != nil {
			p.fail(pvNoAccess, "%s: %v", name, err)
			known = false
			continue
		}
		there = append(there, name)
		known = known && size >= 0
		total += max(size, 0)
	}
	switch {
	case p.sized || p.nothing:
		return there, p.size
	case known && total > 0:
	case p.out.Kind == splice.Block && !p.look.Lines:
		total, p.stop = leftOnDevice(p.out), true
	default:
		total = 0
	}
	p.sized = total > 0
	p.size = total
	return there, total
}

// sizeOf is how many bytes, or lines, a file has, and -1 if nobody knows.
func (p *pv) sizeOf(name string) (int64, error) {
	if name == "-" {
		if procstart.Closed(0) {
			return -1, unix.EBADF
		}
		src, err := splice.Describe(0)
		if err != nil {
			return -1, err
		}
		return p.lengthOf(src), nil
	}
	var stat unix.Stat_t
	if err := unix.Stat(name, &stat); err != nil {
		return -1, err
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		return 0, nil // reading it says what is wrong
	}
	if mode := stat.Mode & unix.S_IFMT; mode != unix.S_IFREG && mode != unix.S_IFBLK {
		return -1, nil // opening it might wait
	}
	fd, err := tool.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	src, err := splice.Describe(fd)
	if err != nil {
		return -1, err
	}
	return p.lengthOf(src), nil
}

// lengthOf is how much is behind the offset of a regular file or block device.
func (p *pv) lengthOf(src *splice.Descriptor) int64 {
	switch {
	case p.look.Lines && src.Kind == splice.Regular && !p.sized:
		return p.linesIn(src)
	case p.look.Lines:
	case src.Kind == splice.Regular:
		return src.Remaining()
	case src.Kind == splice.Block:
		return leftOnDevice(src)
	}
	return -1
}

// linesIn counts the lines of a regular file without moving its offset.
func (p *pv) linesIn(src *splice.Descriptor) (lines int64) {
	buf := make([]byte, lookSize)
	for at := src.Offset; ; {
		n, err := unix.Pread(src.FD, buf, at)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1
		}
		if n == 0 {
			return lines
		}
		lines += int64(bytes.Count(buf[:n], p.terminator()))
		at += int64(n)
	}
}

func (p *pv) terminator() []byte {
	if p.null {
		return []byte{0}
	}
	return []byte{'\n'}
}

// moveFile moves one file. An error that is returned ends everything.
func (p *pv) moveFile(name string) error {
	fd := 0
	if name == "-" {
		if p.read {
			p.fail(pvNoAccess, "%s: %v", name, unix.EBADF)
			return nil
		}
		p.read = true
	} else {
		var err error
		if fd, err = tool.Open(name, unix.O_RDONLY, 0); err != nil {
			p.fail(pvNoAccess, "%s: %v", name, err)
			return nil
		}
		defer unix.Close(fd)
	}
	src, err := splice.Describe(fd)
	if err != nil {
		p.fail(pvNoAccess, "%s: %v", name, err)
		return nil
	}
	if src.Kind == splice.Regular && p.out.Kind == splice.Regular && src.Stat.Dev == p.out.Stat.Dev && src.Stat.Ino == p.out.Stat.Ino {
		p.fail(pvSameFile, "%s: input file is also the output", name)
		return nil
	}
	if src.Kind == splice.Pipe {
		_, _ = splice.RaisePipe(fd, p.pipeSize()) // a smaller pipe works as well
	}
	return p.explain(name, p.copy(name, src))
}

// copy moves a source in the way that the options ask for.
func (p *pv) copy(name string, src *splice.Descriptor) error {
	if p.left == 0 {
		return errOver
	}
	if p.looks() {
		return p.copyLooking(name, src)
	}
	o := splice.Options{
		Limiter: p.limiter, Direct: p.direct, Method: p.inv.Method,
		Progress: func(n int64) error {
			p.meter.Add(n)
			if p.sync {
				return p.flush()
			}
			return nil
		},
	}
	if p.left > 0 {
		o.Limit = p.left
	}
	if p.noSplice {
		o.Method = splice.ReadWrite
	}
	report, err := p.copier.Copy(p.out, src, o)
	if p.left > 0 {
		p.left -= report.Delivered
	}
	return err
}

// flush has what was written on disk.
func (p *pv) flush() error {
	if err := unix.Fdatasync(p.out.FD); err != nil && err != unix.EINVAL && err != unix.EROFS {
		return &splice.WriteError{Err: err}
	}
	return nil
}

// explain prints the error of a copy, and returns one that ends everything.
func (p *pv) explain(name string, err error) error {
	var write *splice.WriteError
	switch {
	case err == nil:
		return nil
	case err == errOver, errors.Is(err, unix.EPIPE):
		return errOver
	case errors.As(err, &write) && errors.Is(err, unix.ENOSPC) && p.out.Kind == splice.Block && p.stop:
		return errOver
	case errors.As(err, &write):
		p.display.Break()
		p.fail(pvTransfer, "%s: write error: %v", p.outName, err)
		return err
	}
	p.fail(pvTransfer, "%s: %v", name, err)
	return nil
}

// throughStore writes everything to a file, and then that to the output.
func (p *pv) throughStore(names []string, total int64) {
	name := p.storeFile
	if name == "-" {
		f, err := os.CreateTemp("", "pv-")
		if err != nil {
			p.fail(pvNoAccess, "%v", err)
			return
		}
		name = f.Name()
		f.Close()
		defer os.Remove(name)
	}
	fd, err := tool.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC, created)
	if err != nil {
		p.fail(pvNoAccess, "%s: %v", name, err)
		return
	}
	defer unix.Close(fd)
	store, err := splice.Describe(fd)
	if err != nil {
		p.fail(pvNoAccess, "%s: %v", name, err)
		return
	}
	out, outName := p.out, p.outName
	p.out, p.outName = store, name
	look := p.look
	p.look.Name, p.look.Named = "(input)", true
	p.storing = true
	p.move(names, total)
	p.storing = false
	p.out, p.outName, p.look = out, outName, look
	if p.status&^pvNoAccess != 0 {
		return
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		p.fail(pvNoAccess, "%s: %v", name, err)
		return
	}
	p.size, p.sized, p.stop = stat.Size, stat.Size > 0, false
	if p.look.Lines {
		store.Offset = 0
		p.size = p.linesIn(store)
	}
	p.move([]string{name}, p.size)
}

// catchSignals ends the process in order, with a word.
func (p *pv) catchSignals() {
	caught := make(chan os.Signal, 1)
	signals.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		sig := (<-caught).(syscall.Signal)
		p.display.Break()
		p.fail(pvInterrupted, "interrupted by a signal: %s", signalNames[sig])
		if p.pidFile != "" {
			_ = os.Remove(p.pidFile) // it may be gone
		}
		os.Exit(p.status)
	}()
}

var signalNames = map[syscall.Signal]string{syscall.SIGINT: "Interrupt", syscall.SIGTERM: "Terminated", syscall.SIGHUP: "Hangup"}

// writePIDFile writes the process's number to a file, which it puts in place
// whole. What it returns removes the file.
func writePIDFile(name string) (remove func(), err error) {
	beside := fmt.Sprintf("%s.%d", name, os.Getpid())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, created)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(f, fmt.Sprintln(os.Getpid()))
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(beside, name)
	}
	if err != nil {
		_ = os.Remove(beside) // the first error is the one to report
		return nil, err
	}
	return func() { _ = os.Remove(name) }, nil // somebody may have removed it
}
