package endpoint

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// ErrOneWay is the error of a regular file in a relay in both directions.
var ErrOneWay = errors.New("a regular file cannot be relayed in both directions")

// ErrHoldsData is the error of a sink that a plain PATH names and that is a file
// with something in it.
var ErrHoldsData = errors.New("the file is not empty")

// A Use is what an endpoint is opened for.
type Use uint8

const (
	AsSource Use = 1 << iota
	AsSink
	AsBoth = AsSource | AsSink
)

// An Opener opens endpoints for one program.
type Opener struct {
	// Closed reports whether descriptor 0, 1 or 2 was closed when the program
	// started: what is open there now is the Go runtime's.
	Closed func(fd int) bool
	// PipeSize is what pipes are raised to, in bytes; 0 leaves them alone.
	PipeSize int
	// Timeout limits how long connecting takes; 0 is the kernel's own limit.
	Timeout time.Duration
	// Poll waits as the function Poll does, which blocks the thread and is used
	// if it is nil.
	Poll func(fds []unix.PollFd, limit time.Duration) (int, error)
	// Closing, if set, is told of each descriptor before it is closed.
	Closing func(fd int)
	// Detached commands lead a session each, and do not share the process's
	// standard input.
	Detached bool
	// Listening is told of a listener that Open is about to wait on.
	Listening func(*Listener)

	resolver
	bound        bound
	commands     commands
	replacements replacements
}

// Open opens an endpoint. For one that listens, it waits for a connection and
// listens no more. The error is an errno or a *NameError; it is ECANCELED for a
// command after EndCommands.
//
// AsBoth takes no regular file: [ErrOneWay].
func (o *Opener) Open(e Endpoint, use Use) (*Stream, error) { return o.OpenFor(nil, e, use) }

// OpenFor is Open for what belongs to a client. A command is told who that is:
// see [Stream.Remote].
func (o *Opener) OpenFor(client *Stream, e Endpoint, use Use) (*Stream, error) {
	switch e.Kind {
	case Standard:
		return o.standard(e, use)
	case File:
		return o.file(e, use)
	case Descriptor:
		return o.inherited(e, use)
	case Exec, Shell:
		return o.start(e, use, client.environment())
	case UnixListen, TCPListen, ListenFDs:
		return o.acceptOne(e)
	}
	return o.connect(e)
}

// describe looks at a descriptor that was opened here, and raises a pipe.
func (o *Opener) describe(fd int) (*splice.Descriptor, error) {
	return o.raised(splice.DescribeOwn(fd))
}

func (o *Opener) raised(d *splice.Descriptor, err error) (*splice.Descriptor, error) {
	if err == nil && d.Kind == splice.Pipe && o.PipeSize > 0 {
		_, _ = splice.RaisePipe(d.FD, o.PipeSize) // a smaller pipe works as well
	}
	return d, err
}

func (o *Opener) standard(e Endpoint, use Use) (*Stream, error) {
	s := &Stream{Endpoint: e, opener: o}
	var err error
	if use&AsSource != 0 {
		if s.In, err = o.existing(0); err != nil {
			return nil, err
		}
	}
	if use&AsSink != 0 {
		s.Out, err = o.existing(1)
	}
	return s, err
}

// existing describes one of the descriptors that the process was started with.
// What it has opened since is close-on-exec, and so told from them.
func (o *Opener) existing(fd int) (*splice.Descriptor, error) {
	if fd <= 2 {
		if o.Closed(fd) {
			return nil, unix.EBADF
		}
	} else if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
		return nil, unix.EBADF
	}
	return o.raised(splice.Describe(fd))
}

func (o *Opener) inherited(e Endpoint, use Use) (*Stream, error) {
	d, err := o.existing(e.fd)
	if err != nil {
		return nil, err
	}
	if use == AsBoth && d.Kind == splice.Regular {
		return nil, ErrOneWay
	}
	return o.stream(e, use, d), nil
}

// stream gives the descriptor to the sides that it is used for.
func (o *Opener) stream(e Endpoint, use Use, d *splice.Descriptor) *Stream {
	s := &Stream{Endpoint: e, opener: o}
	if use&AsSource != 0 {
		s.In = d
	}
	if use&AsSink != 0 {
		s.Out = d
	}
	return s
}

// created is the mode of a sink's file, less the umask.
const created = 0o666

func (o *Opener) file(e Endpoint, use Use) (*Stream, error) {
	flags := unix.O_RDONLY
	switch use {
	case AsSink:
		flags = unix.O_WRONLY | unix.O_CREAT
	case AsBoth:
		flags = unix.O_RDWR
	}
	if use == AsSink && e.append {
		flags |= unix.O_APPEND
	}
	if use == AsSink && e.excl {
		flags |= unix.O_EXCL
	}
	if use == AsSink && e.options.atomic {
		return o.atomic(e)
	}
	var fd int
	var err error
	if o.Poll != nil && use != AsBoth && isFIFO(e.path) {
		fd, err = o.openFIFO(e.path, flags)
	} else {
		fd, err = open(e.path, flags)
	}
	if err != nil {
		return nil, err
	}
	d, err := o.describe(fd)
	if err == nil && use == AsBoth && d.Kind == splice.Regular {
		err = ErrOneWay
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	o.letWait(d)
	s := o.stream(e, use, d)
	s.owned = true
	s.truncates = use == AsSink && d.Kind == splice.Regular && e.trunc
	s.spares = use == AsSink && d.Kind == splice.Regular && !e.append && !e.excl && !e.trunc
	return s, nil
}

// letWait makes a FIFO or terminal nonblocking if there is more to wait for than
// itself. What was opened here is nobody else's.
func (o *Opener) letWait(d *splice.Descriptor) {
	if o.Poll == nil && o.Timeout == 0 || d.Kind != splice.Pipe && d.Kind != splice.Terminal {
		return
	}
	if unix.SetNonblock(d.FD, true) == nil {
		d.Flags |= unix.O_NONBLOCK
	}
}

// open repeats open(2) when a signal interrupts it: the Go scheduler's own do
// that while it waits for the other end of a FIFO.
func open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY, created)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
