package splice

// copyFileRange lets the filesystem copy, within the kernel or on the server.
// Where other methods must not write to what the server has begun, a refusal
// midway is an error.
func copyFileRange(t *transfer) error {
	err := t.moveWithin(t.copyFileRange, copyFileRangeRefused)
	if no, unsuited := err.(*notThisWay); unsuited && t.copiedByServer() {
		return &WriteError{no.errno}
	}
	return err
}

// copiedByServer reports whether the sink holds bytes beside which none must be
// written.
func (t *transfer) copiedByServer() bool {
	return mixesBadly(t.dst.FS) && t.report.By[Reflink]+t.report.By[CopyFileRange] > 0
}
