package splice

// copyFileRange lets the filesystem copy, within the kernel or on the server.
func copyFileRange(t *transfer) error {
	return t.moveWithin(func(n int) (int, error) {
		return t.copyFileRange(t.src.FD, t.dst.FD, n)
	}, copyFileRangeRefused)
}
