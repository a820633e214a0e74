package splice

// copyFileRange lets the filesystem copy, within the kernel or on the server.
func copyFileRange(t *transfer) error {
	for t.left > 0 {
		n, err := t.copyFileRange(t.src.FD, t.dst.FD, t.next(chunk))
		switch {
		case err == nil && n == 0:
			return nil
		case err == nil:
			if err := t.delivered(int64(n)); err != nil {
				return err
			}
		case copyFileRangeRefused(err):
			return &notThisWay{err}
		default:
			return &WriteError{err}
		}
	}
	return nil
}
