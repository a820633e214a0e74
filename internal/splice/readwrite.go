package splice

import "golang.org/x/sys/unix"

// readWrite copies through a buffer. It always works.
func readWrite(t *transfer) error {
	for t.left > 0 {
		p, err := t.nextBytes()
		if err != nil || len(p) == 0 {
			return err
		}
		if err := t.writeSink(p); err != nil {
			return err
		}
	}
	return nil
}

// nextBytes reads into the Copier's buffer, and returns the bytes. No bytes are the
// end.
func (t *transfer) nextBytes() ([]byte, error) {
	if t.src.Records {
		return t.nextRecord()
	}
	buf := t.copier.buffer()
	n, err := t.readSource(buf[:t.next(len(buf))])
	return buf[:n], err
}

// nextRecord reads one record of a socket. It first asks for the length: the bytes
// that a read has no room for are lost. A rate limit delays a record, but does not
// shorten it.
func (t *transfer) nextRecord() ([]byte, error) {
	t.next(1)
	length, err := t.fromSource(func() (int, error) { return t.recordLength(t.src.FD) })
	if err != nil {
		return nil, err
	}
	buf := t.copier.bufferOf(length)
	n, err := t.readSource(buf)
	return buf[:min(int64(n), t.left)], err
}

// recordLength returns the number of bytes of the next record. It blocks as a read
// does.
func recordLength(fd int) (int, error) {
	n, _, err := unix.Recvfrom(fd, nil, unix.MSG_PEEK|unix.MSG_TRUNC)
	if err == unix.EAFNOSUPPORT { // an address that x/sys does not know
		err = nil
	}
	return n, err
}

// readSource returns 0 at the end of the source only.
func (t *transfer) readSource(p []byte) (int, error) {
	n, err := t.fromSource(func() (int, error) { return t.readOnce(p) })
	t.src.advance(int64(n))
	return n, err
}

// readOnce makes one read(2) of the source. In an uncached copy it reads with
// RWF_DONTCACHE. If that is refused, read(2) tells whether the file is the reason.
func (t *transfer) readOnce(p []byte) (int, error) {
	if t.in == nil || t.in.refused || t.src.claimed() {
		return t.readHere(t.src, p)
	}
	n, err := t.readUncached(t.src.FD, p)
	if !refused(err) {
		return n, err
	}
	t.refuse(t.in, err)
	return t.read(t.src.FD, p)
}

// writeOnce makes one write(2) to the sink, as readOnce does.
func (t *transfer) writeOnce(p []byte) (int, error) {
	if t.out == nil || t.out.refused || t.dst.claimed() {
		return t.writeHere(t.dst, p)
	}
	n, err := t.writeUncached(t.dst.FD, p)
	if !refused(err) {
		return n, err
	}
	t.refuse(t.out, err)
	return t.write(t.dst.FD, p)
}

// fromSource makes a call that reads the source, and repeats it when the source was
// not ready.
func (t *transfer) fromSource(call func() (int, error)) (int, error) {
	t.options.Activity.set(Reading)
	if err := t.awaitSource(); err != nil {
		return 0, err
	}
	for {
		n, err := call()
		switch err {
		case nil:
			return n, nil
		case unix.EAGAIN:
			if err := t.sourceNotReady(); err != nil {
				return 0, err
			}
		default:
			return 0, &ReadError{err}
		}
	}
}

// recordPiece is the size in bytes of one write to a socket of records from a source
// without records. UDP and Unix sockets take it.
const recordPiece = 32 << 10

// piece returns the most bytes of one write.
func (t *transfer) piece(d *Descriptor) int {
	if d.Records && (t.src == nil || !t.src.Records) {
		return recordPiece
	}
	return chunk
}

// writeSink writes all of p, however little the sink takes at a time.
func (t *transfer) writeSink(p []byte) error {
	t.options.Activity.set(Writing)
	for len(p) > 0 {
		n, err := t.writeOnce(p[:min(len(p), t.piece(t.dst))])
		switch {
		case err == unix.EAGAIN:
			if err := t.sinkNotReady(); err != nil {
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
