package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A tee is standard output and the files, opened, in the order given.
type tee struct {
	inv     *tool.Invocation
	mode    mode
	flags   int // of open(2)
	outputs []*output
	display *meter.Display      // of --progress; nil if there is none
	arrived func(n int64) error // counts for it
	report  splice.Report
}

// An output is a sink and the name that messages have for it.
type output struct {
	splice.Sink
	name string
}

const (
	stdoutName = "standard output"
	fileMode   = 0o666 // less the umask
)

// errExit ends a copy whose mode is to exit on the first error, which has been
// reported.
var errExit = errors.New("exit")

func newTee(inv *tool.Invocation) *tee {
	t := &tee{inv: inv, mode: modeOf(inv), flags: unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC}
	if inv.Flags.Bool("append") {
		t.flags = unix.O_WRONLY | unix.O_CREAT | unix.O_APPEND
	}
	return t
}

// open opens standard output and every file. One that cannot be opened is
// reported and left out; it returns false if that ends the run.
func (t *tee) open(names []string) bool {
	d, err := tool.Inherited(t.inv.Stdout())
	if err != nil { // nothing is wrong with it until there is something to write
		d = &splice.Descriptor{FD: -1}
	}
	t.add(stdoutName, d)
	for _, name := range names {
		d, err := tool.Opened(tool.Open(name, t.flags, fileMode))
		if err == nil {
			t.add(name, d)
			continue
		}
		t.inv.Fail(name, err)
		if t.mode.exits {
			return false
		}
	}
	return true
}

func (t *tee) add(name string, d *splice.Descriptor) {
	t.outputs = append(t.outputs, &output{Sink: splice.Sink{Descriptor: d}, name: name})
}

// copy brings standard input to all that is open.
func (t *tee) copy() {
	src, err := tool.Inherited(t.inv.Stdin())
	if err != nil {
		t.inv.Errorf("read error: %v", err)
		t.inv.Errorf("standard input: %v", err)
		return
	}
	reopen, err := t.reopenOnSignal()
	if err != nil {
		t.inv.Errorf("cannot wait for SIGHUP: %v", err)
		return
	}
	copier := splice.New()
	defer copier.Close()
	if reopen == nil {
		tool.GiveBackOnSignal(copier)
	} else {
		tool.GiveBackOnSignal(copier, unix.SIGHUP)
	}
	t.report, err = copier.Tee(t.sinks(), src, splice.TeeOptions{
		Method:     t.inv.Method,
		SinkFailed: t.failed,
		WatchSinks: t.mode.watches,
		Event:      reopen,
		Progress:   t.arrived,
		FirstRound: t.mode.firstRound(),
	})
	var read *splice.ReadError
	switch {
	case errors.As(err, &read):
		t.inv.Errorf("read error: %v", err)
	case err != nil && err != errExit:
		t.inv.Errorf("%v", err)
	}
}

func (t *tee) sinks() []*splice.Sink {
	sinks := make([]*splice.Sink, len(t.outputs))
	for i, o := range t.outputs {
		sinks[i] = &o.Sink
	}
	return sinks
}

// failed is told of an output that takes no more.
func (t *tee) failed(s *splice.Sink) error {
	if t.mode.dies && errors.Is(s.Err, unix.EPIPE) && (s.Kind == splice.Pipe || t.display != nil) {
		t.die(unix.SIGPIPE)
	}
	if t.mode.forgives(s) {
		return nil
	}
	t.inv.Fail(t.nameOf(s), s.Err)
	if t.mode.exits {
		return errExit
	}
	return nil
}

func (t *tee) nameOf(s *splice.Sink) string {
	for _, o := range t.outputs {
		if &o.Sink == s {
			return o.name
		}
	}
	return ""
}

// close closes the files: what a network filesystem or a quota has against the
// data may be known no earlier.
func (t *tee) close() {
	for _, o := range t.outputs {
		if err := t.finish(o); err != nil && o.Err == nil {
			t.inv.Fail(o.name, err)
		}
	}
}

// finish has a file's data on disk if --fsync asks for it, and closes it.
func (t *tee) finish(o *output) error {
	err := t.sync(o)
	if o.FD > 2 {
		if closed := unix.Close(o.FD); err == nil {
			err = closed
		}
	}
	return err
}

func (t *tee) sync(o *output) error {
	if !t.inv.Flags.Bool("fsync") || o.Kind != splice.Regular && o.Kind != splice.Block {
		return nil
	}
	for {
		if err := unix.Fsync(o.FD); err != unix.EINTR {
			return err
		}
	}
}
