package splice

// copyFileRange lets the filesystem copy, within the kernel or on the server.
func copyFileRange(t *transfer) error {
	return t.moveWithin(t.copyFileRange, copyFileRangeRefused)
}
