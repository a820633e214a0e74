package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"zeroutils/internal/catformat"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

var errOwnOutput = errors.New("input file is output file")

// A concatenation is standard output and what it takes to add files to it.
type concatenation struct {
	inv       *tool.Invocation
	out       *splice.Descriptor
	copier    *splice.Copier
	options   splice.Options
	format    *catformat.Formatter // nil for the plain copy
	total     splice.Report
	readStdin bool
}

// newConcatenation fails with the error of standard output.
func newConcatenation(inv *tool.Invocation, format *catformat.Formatter) (*concatenation, error) {
	out, err := tool.Inherited(inv.Stdout())
	if err != nil {
		return nil, err
	}
	copier := splice.New()
	tool.GiveBackOnSignal(copier)
	return &concatenation{
		inv:     inv,
		out:     out,
		copier:  copier,
		format:  format,
		options: splice.Options{Method: inv.Method, Stable: inv.Flags.Bool("stable")},
	}, nil
}

func (c *concatenation) close() { c.copier.Close() }

// addAll returns false when standard output takes no more.
func (c *concatenation) addAll(names []string) bool {
	for _, name := range names {
		if !c.add(name) {
			return false
		}
	}
	return true
}

// add appends what the name stands for. It returns false when standard output
// takes no more; an input that cannot be read is reported and passed over.
func (c *concatenation) add(name string) bool {
	src, err := c.open(name)
	if err != nil {
		c.inv.Fail(name, err)
		return true
	}
	if src.FD != 0 {
		defer unix.Close(src.FD)
	}
	if c.readsItself(src) {
		c.inv.Fail(name, errOwnOutput)
		return true
	}
	if err := c.copy(src); err != nil {
		return c.failed(name, err)
	}
	return true
}

// readsItself reports whether reading src would never end, since it is what is
// written, maybe by others too.
func (c *concatenation) readsItself(src *splice.Descriptor) bool {
	if src.Stat.Ino == c.out.Stat.Ino {
		if now, err := splice.Describe(c.out.FD); err == nil {
			c.out = now
		}
	}
	if c.format != nil {
		return splice.FiltersOntoItself(c.out, src)
	}
	return splice.CopiesOntoItself(c.out, src)
}

func (c *concatenation) copy(src *splice.Descriptor) error {
	var report splice.Report
	var err error
	if c.format != nil {
		report, err = c.copier.Filter(c.out, src, c.format.Append)
	} else {
		report, err = c.copier.Copy(c.out, src, c.options)
	}
	c.total.Add(report)
	return err
}

// end adds what the formatting has left. It returns false when standard output
// takes no more.
func (c *concatenation) end() bool {
	if c.format == nil {
		return true
	}
	report, err := c.copier.Put(c.out, c.format.Finish(make([]byte, 0, catformat.Room)))
	c.total.Add(report)
	return err == nil || c.failed("", err)
}

// failed reports an error of a copy. It returns false for one that concerns
// standard output.
func (c *concatenation) failed(name string, err error) bool {
	if write := (*splice.WriteError)(nil); errors.As(err, &write) {
		tool.DieOfBrokenPipe(c.out.Kind, err)
		c.inv.Errorf("write error: %v", err)
		return false
	}
	c.inv.Fail(name, err)
	return true
}

func (c *concatenation) open(name string) (*splice.Descriptor, error) {
	if name == "-" {
		c.readStdin = true
		return tool.Inherited(c.inv.Stdin())
	}
	return tool.Opened(tool.Open(name, unix.O_RDONLY, 0))
}
