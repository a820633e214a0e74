package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"
)

// A stream is the bytes that every case moves: any number of them, the same
// in every process, and known at every offset, so that what comes out of a
// tool can be checked without keeping a copy.
//
// The bytes repeat every 1 MiB and one page, so a block that comes twice, not
// at all or in the wrong place is noticed, be it one of 64 KiB or of 1 MiB.
type stream []byte

const (
	// chunk is what programs usually read and write at a time, and what a
	// pipe holds until somebody raises it.
	chunk = 64 << 10
	// bigPipe is as far as pipe(7) lets an ordinary user raise a pipe.
	bigPipe = 1 << 20

	period = bigPipe + 4096
)

// newStream makes the bytes in memory that begins at a page, for vmsplice.
func newStream() (stream, error) {
	s, err := unix.Mmap(-1, 0, period+bigPipe, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	rand.NewChaCha8([32]byte{}).Read(s[:period]) // never fails
	copy(s[period:], s)
	return s, nil
}

// piece is the bytes at offset, as many as are left before end but at most
// limit, which is at most bigPipe.
func (s stream) piece(offset, end, limit int64) []byte {
	start := offset % period
	return s[start : start+min(end-offset, limit)]
}

// writeTo writes the bytes from offset to end.
func (s stream) writeTo(w io.Writer, offset, end int64) error {
	for offset < end {
		n, err := w.Write(s.piece(offset, end, chunk))
		if err != nil {
			return err
		}
		offset += int64(n)
	}
	return nil
}

// compare reads r to its end and fails unless it has the bytes from offset to
// end, and no more.
func (s stream) compare(r io.Reader, offset, end int64) error {
	buf := make([]byte, chunk)
	for {
		n, err := io.ReadFull(r, buf)
		if !bytes.Equal(buf[:n], s.piece(offset, offset+int64(n), chunk)) {
			return fmt.Errorf("wrong bytes behind %d", offset)
		}
		offset += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if offset != end {
		return fmt.Errorf("the end is at %d instead of %d", offset, end)
	}
	return nil
}
