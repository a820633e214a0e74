package splice

import "golang.org/x/sys/unix"

// sendfile moves a file's pages to the sink through a pipe of 16 pages that
// the kernel keeps for each thread. It needs no descriptor of its own.
func sendfile(t *transfer) error {
	for t.left > 0 {
		n, err := t.sendfile(t.dst.FD, t.src.FD, t.next(chunk))
		switch {
		case err == nil && n == 0:
			return nil
		case err == nil:
			if err := t.delivered(int64(n)); err != nil {
				return err
			}
		case err == unix.EAGAIN: // the sink's: a file does not answer so
			if err := t.waitForSink(); err != nil {
				return err
			}
		case sendfileRefused(err):
			return &notThisWay{err}
		default:
			return &WriteError{err}
		}
	}
	return nil
}
