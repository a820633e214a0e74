package splice

import "golang.org/x/sys/unix"

// copyFileRange has the filesystem copy: by sharing blocks, on the server, or in
// the kernel. If the server has copied a part, a refusal is an error where nobody
// else may write to the sink (mixesBadly).
func copyFileRange(t *transfer) error {
	err := t.moveWithin(t.copyFileRange, copyFileRangeRefused)
	if no, unsuited := err.(*refusal); unsuited && t.copiedByServer() {
		return &WriteError{no.errno}
	}
	return err
}

// copiedByServer reports whether the server has copied a part of a sink that
// nobody else may write to now.
func (t *transfer) copiedByServer() bool {
	return mixesBadly(t.dst.FS) && t.report.By[Reflink]+t.report.By[CopyFileRange] > 0
}

// sendfile moves a file's pages to the sink through a pipe of 16 pages that the
// kernel keeps for each thread. It needs no descriptor. sendfile(2) writes only at
// the sink's own offset, so it does not serve a file that others may write to.
func sendfile(t *transfer) error {
	if t.src.Kind == Regular && t.src.Remaining() == 0 {
		return nil // read confirms the end; a call would report that a pipe has no reader
	}
	return t.moveWithin(func(in, out place, n int) (int, error) {
		return t.sendfile(out.fd, in, n)
	}, sendfileRefused)
}

// moveWithin repeats a call that moves bytes from a file to the sink without
// stopping between the two.
func (t *transfer) moveWithin(move func(in, out place, n int) (int, error), refused func(error) bool) error {
	for t.left > 0 {
		n, err := t.moveOnce(move, t.next(chunk))
		switch {
		case err == nil && n == 0:
			return nil
		case err == nil:
			t.src.advance(int64(n))
			if err := t.delivered(int64(n)); err != nil {
				return err
			}
		case err == unix.EAGAIN: // the sink's: a file does not answer so
			if err := t.sinkNotReady(); err != nil {
				return err
			}
		case refused(err):
			return &refusal{err}
		default:
			return &WriteError{err}
		}
		if t.offsetIsShared() {
			return &refusal{ErrShared}
		}
	}
	return nil
}

// moveOnce makes the call, with what it may move claimed where an offset may be
// shared.
func (t *transfer) moveOnce(move func(in, out place, n int) (int, error), n int) (int, error) {
	in, out := own(t.src.FD), own(t.dst.FD)
	if !t.src.sharesOffset() && !t.dst.sharesOffset() {
		return move(in, out, n)
	}
	mu := &t.claims.mu
	mu.Lock()
	defer mu.Unlock()
	most := min(int64(n), t.src.Remaining()) // 0 is for read to confirm
	if t.src.sharesOffset() {
		if err := t.claimSource(t.src, most); err != nil || !t.src.claimed() {
			return 0, err
		}
		most = min(int64(n), t.src.claim.left())
		in.at = t.src.claim.at
	}
	if most == 0 {
		return 0, nil
	}
	if t.dst.sharesOffset() {
		if err := t.claimSink(t.dst, most); err != nil {
			return 0, err
		}
		most = min(most, t.dst.claim.left())
		out.at = t.dst.claim.at
		moved, err := move(in, out, int(most))
		t.src.fulfil(moved)
		t.dst.fulfil(moved)
		return moved, err
	}
	// The sink may keep the call waiting, and a signal must not wait with it:
	// meanwhile there is nothing to give back.
	t.src.fulfil(int(most))
	mu.Unlock()
	moved, err := move(in, out, int(most))
	mu.Lock()
	t.src.claim.at -= most - int64(moved)
	return moved, err
}
