package tool

import "zeroutils/internal/splice"

// Neighbour describes an open descriptor, and gives it as much room as the
// engine's own pipe has if it is a pipe: the processes on either side are then
// woken as rarely as the tool. It takes what Stdin, Stdout or Open returned,
// and passes an error on.
func Neighbour(fd int, err error) (*splice.Descriptor, error) {
	if err != nil {
		return nil, err
	}
	d, err := splice.Describe(fd)
	if err == nil && d.Kind == splice.Pipe {
		_, _ = splice.RaisePipe(fd, splice.DefaultPipeSize) // a smaller pipe works as well
	}
	return d, err
}
