package main

import (
	"errors"

	"golang.org/x/sys/unix"

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
	total     splice.Report
	readStdin bool
}

// newConcatenation fails with the error of standard output.
func newConcatenation(inv *tool.Invocation) (*concatenation, error) {
	out, err := tool.Neighbour(inv.Stdout())
	if err != nil {
		return nil, err
	}
	return &concatenation{
		inv:     inv,
		out:     out,
		copier:  splice.New(),
		options: splice.Options{Method: inv.Method, Stable: inv.Flags.Bool("stable")},
	}, nil
}

func (c *concatenation) close() { c.copier.Close() }

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
	if splice.CopiesOntoItself(c.out, src) {
		c.inv.Fail(name, errOwnOutput)
		return true
	}
	report, err := c.copier.Copy(c.out, src, c.options)
	c.total.Add(report)
	var write *splice.WriteError
	switch {
	case errors.As(err, &write):
		c.inv.Errorf("write error: %v", err)
		return false
	case err != nil:
		c.inv.Fail(name, err)
	}
	return true
}

func (c *concatenation) open(name string) (*splice.Descriptor, error) {
	if name == "-" {
		c.readStdin = true
		return tool.Neighbour(c.inv.Stdin())
	}
	return tool.Neighbour(tool.Open(name, unix.O_RDONLY, 0))
}
