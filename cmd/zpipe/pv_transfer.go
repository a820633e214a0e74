package main

import (
	"errors"
	"sync"

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

	meter   *meter.Meter
	display *meter.Display
	answers bool  // others may ask how far it is
	began   bool  // a file has begun to be moved
	read    bool  // standard input has been read to its end
	left    int64 // that may still pass; negative is any number
	line    meter.Format
	keeps   bool       // what the display shows of the bytes
	hole    bool       // the output ends in bytes that were not written
	mu      sync.Mutex // guards seen
	seen    meter.Seen
	state   meter.State // that was drawn last
	hidden  bool        // another pv has asked for nothing to be shown
	own     *processTitle
	longest int    // how much of the end is kept
	partial []byte // the line that has not ended
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
	given := p.size
	names, total := p.measure(names)
	if len(names) == 0 {
		return
	}
	if p.storeFile != nil {
		p.throughStore(names, given)
		return
	}
	p.move(names, total)
}

// move moves files to the output under one display.
func (p *pv) move(names []string, total int64) {
	p.begin(total)
	if !p.answers {
		p.answers = true
		go p.answerOthers()
	}
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
	case p.discard && p.output != nil:
		if fd, err = tool.Open(*p.output, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, created); err == nil {
			unix.Close(fd)
			fd, err = tool.Open("/dev/null", unix.O_WRONLY, 0)
		}
	case p.discard:
		fd, err = tool.Open("/dev/null", unix.O_WRONLY, 0)
	case p.output != nil:
		p.outName = *p.output
		fd, err = tool.Open(*p.output, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, created)
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
	p.limiter = splice.NewLimiter(p.rate)
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
	p.began = true
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
