package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A tee is standard output and the files, opened, in the order given.
type tee struct {
	inv    *tool.Invocation
	sinks  []*splice.Sink
	names  map[*splice.Sink]string
	report splice.Report
}

const (
	stdoutName = "standard output"
	fileMode   = 0o666 // less the umask
)

// newTee opens every file. One that cannot be opened is reported and left out.
func newTee(inv *tool.Invocation) *tee {
	t := &tee{inv: inv, names: make(map[*splice.Sink]string)}
	t.addStdout()
	flags := unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC
	if inv.Flags.Bool("append") {
		flags = unix.O_WRONLY | unix.O_CREAT | unix.O_APPEND
	}
	for _, name := range inv.Operands {
		d, err := tool.Neighbour(tool.Open(name, flags, fileMode))
		if err != nil {
			inv.Fail(name, err)
			continue
		}
		t.add(name, d)
	}
	return t
}

// addStdout takes a closed standard output too: nothing is wrong with it until
// there is something to write.
func (t *tee) addStdout() {
	d, err := tool.Neighbour(t.inv.Stdout())
	if err != nil {
		d = &splice.Descriptor{FD: -1}
	}
	t.add(stdoutName, d)
}

func (t *tee) add(name string, d *splice.Descriptor) {
	s := &splice.Sink{Descriptor: d}
	t.sinks = append(t.sinks, s)
	t.names[s] = name
}

// copy brings standard input to all that is open.
func (t *tee) copy() {
	src, err := tool.Neighbour(t.inv.Stdin())
	if err != nil {
		t.inv.Errorf("read error: %v", err)
		t.inv.Errorf("standard input: %v", err)
		return
	}
	copier := splice.New()
	defer copier.Close()
	t.report, err = copier.Tee(t.sinks, src, splice.Options{
		Method: t.inv.Method,
		SinkFailed: func(s *splice.Sink) error {
			t.inv.Fail(t.names[s], s.Err)
			return nil
		},
	})
	var read *splice.ReadError
	switch {
	case errors.As(err, &read):
		t.inv.Errorf("read error: %v", err)
	case err != nil:
		t.inv.Errorf("%v", err)
	}
}

// close closes the files: what a network filesystem or a quota has against the
// data may be known no earlier.
func (t *tee) close() {
	for _, s := range t.sinks {
		if s.FD > 2 {
			if err := unix.Close(s.FD); err != nil && s.Err == nil {
				t.inv.Fail(t.names[s], err)
			}
		}
	}
}
