package tool

import "zeroutils/internal/splice"

// Inherited describes a standard descriptor, which other processes may have,
// too. It takes what Stdin or Stdout returned, and passes an error on.
func Inherited(fd int, err error) (*splice.Descriptor, error) {
	return describe(splice.Describe, fd, err)
}

// Opened is Inherited for what [Open] returned: nobody else has the descriptor.
func Opened(fd int, err error) (*splice.Descriptor, error) {
	return describe(splice.DescribeOwn, fd, err)
}

// describe gives a pipe as much room as the engine's own pipe has: the processes
// on either side are then woken as rarely as the tool.
func describe(look func(int) (*splice.Descriptor, error), fd int, err error) (*splice.Descriptor, error) {
	if err != nil {
		return nil, err
	}
	d, err := look(fd)
	if err == nil && d.Kind == splice.Pipe {
		_, _ = splice.RaisePipe(fd, splice.DefaultPipeSize) // a smaller pipe works as well
	}
	return d, err
}
