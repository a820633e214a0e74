package splice

import "golang.org/x/sys/unix"

// sendfile moves a file's pages to the sink through a pipe of 16 pages that
// the kernel keeps for each thread. It needs no descriptor of its own.
func sendfile(t *transfer) error {
	return t.moveWithin(func(n int) (int, error) {
		return t.sendfile(t.dst.FD, t.src.FD, n)
	}, sendfileRefused)
}

// moveWithin repeats a call that moves bytes from a file to the sink without
// stopping between the two.
func (t *transfer) moveWithin(move func(n int) (int, error), refused func(error) bool) error {
	for t.left > 0 {
		n, err := move(t.next(chunk))
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
		case refused(err):
			return &notThisWay{err}
		default:
			return &WriteError{err}
		}
	}
	return nil
}
