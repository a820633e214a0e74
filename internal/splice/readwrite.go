package splice

import "golang.org/x/sys/unix"

// readWrite copies through a buffer: the method that always works.
func readWrite(t *transfer) error {
	buf := t.copier.buffer()
	for t.left > 0 {
		n, err := t.readSource(buf[:t.next(len(buf))])
		if err != nil || n == 0 {
			return err
		}
		if err := t.writeSink(buf[:n]); err != nil {
			return err
		}
	}
	return nil
}

// readSource returns 0 at the end of the source only.
func (t *transfer) readSource(p []byte) (int, error) {
	t.options.Activity.is(Reading)
	if err := t.awaitSource(); err != nil {
		return 0, err
	}
	for {
		n, err := t.take(p)
		switch err {
		case nil:
			return n, nil
		case unix.EAGAIN:
			if err := t.waitForSource(); err != nil {
				return 0, err
			}
		default:
			return 0, &ReadError{err}
		}
	}
}

// writeSink writes all of p, however little the sink takes at a time.
func (t *transfer) writeSink(p []byte) error {
	t.options.Activity.is(Writing)
	for len(p) > 0 {
		n, err := t.give(p[:min(len(p), chunk)])
		switch {
		case err == unix.EAGAIN:
			if err := t.waitForSink(); err != nil {
				return err
			}
		case err != nil:
			return &WriteError{err}
		case n == 0:
			return &WriteError{ErrNoProgress}
		default:
			p = p[n:]
			if err := t.delivered(int64(n)); err != nil {
				return err
			}
		}
	}
	return nil
}
