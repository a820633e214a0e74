package splice

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// direct copies past the page cache. It reads one block while it writes the block
// before. It opens both files again with O_DIRECT, through /proc/self/fd: the flag
// on the given descriptor would hold for every process that shares the open file
// description. Bytes that no aligned write can carry go through the page cache:
// those before the first block boundary, those after the last, and the rest of a
// short write.
//
// Reads use explicit offsets and consume nothing. At the end, also after an error,
// direct sets both file offsets to the end of the last byte delivered. A shared
// source is claimed up to its present end; what was not delivered is given back.
func direct(t *transfer) error {
	d, err := openDirect(t)
	if err != nil {
		return &refusal{err}
	}
	defer d.close()
	if d.most == 0 {
		return nil // no byte is known to be left: read confirms that
	}
	err = d.copy()
	t.method = Direct
	t.src.advance(d.from - t.src.Offset)
	if seekErr := d.endAt(t.src, d.from); err == nil && seekErr != nil {
		err = &ReadError{seekErr}
	}
	if seekErr := d.endAt(t.dst, d.to); err == nil && seekErr != nil {
		err = &WriteError{seekErr}
	}
	return err
}

// endAt sets the file offset of a private description to the end of the last byte
// delivered. For a shared one the claim does that.
func (d *directCopy) endAt(side *Descriptor, at int64) error {
	if side.sharesOffset() {
		return nil
	}
	_, err := d.seek(side.FD, at, unix.SEEK_SET)
	return err
}

// directBlock is the size in bytes of each of the two buffers. One is read while the
// other is written.
const directBlock = 1 << 20

// defaultAlignment, in bytes, is enough for every block device in use. It is taken
// where statx(2) does not report the alignment (STATX_DIOALIGN, since Linux 6.1).
const defaultAlignment = 4096

// A directCopy is the two files opened with O_DIRECT.
type directCopy struct {
	*transfer
	in, out  int   // descriptors of our own
	align    int64 // bytes: of offsets, lengths and addresses
	from, to int64 // offsets of the next byte to deliver
	most     int64 // bytes that may still be delivered
	memory   []byte
}

func openDirect(t *transfer) (_ *directCopy, err error) {
	d := &directCopy{transfer: t, in: -1, out: -1}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.to, err = t.seek(t.dst.FD, 0, unix.SEEK_CUR); err != nil {
		return nil, err
	}
	if d.in, err = t.reopen(t.src.FD, unix.O_RDONLY|unix.O_DIRECT); err != nil {
		return nil, err
	}
	if d.out, err = t.reopen(t.dst.FD, unix.O_WRONLY|unix.O_DIRECT); err != nil {
		return nil, err
	}
	d.align = int64(max(t.alignment(d.in), t.alignment(d.out)))
	if err := d.begin(); err != nil {
		return nil, err
	}
	switch {
	case d.align > directBlock:
		return nil, unix.EINVAL
	case (d.from-d.to)%d.align != 0:
		return nil, ErrMisaligned
	}
	d.memory, err = unix.Mmap(-1, 0, 2*directBlock, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	return d, err
}

// begin finds the offset of the first byte of the source, and claims a shared source
// up to its present end.
func (d *directCopy) begin() (err error) {
	d.most = d.left
	if !d.src.sharesOffset() {
		d.from, err = d.seek(d.src.FD, 0, unix.SEEK_CUR)
		return err
	}
	d.claims.mu.Lock()
	defer d.claims.mu.Unlock()
	err = d.claimSource(d.src, d.left)
	d.from, d.most = d.src.claim.at, d.src.claim.left()
	return err
}

func (d *directCopy) close() {
	for _, fd := range []int{d.in, d.out} {
		if fd >= 0 {
			d.system.close(fd)
		}
	}
	if d.memory != nil {
		unix.Munmap(d.memory)
	}
}

// A directRead is the result of one read.
type directRead struct {
	buf []byte
	n   int
	err error
}

// copy runs the reader beside the writer and returns when both are done.
func (d *directCopy) copy() error {
	empty := make(chan []byte, 2)
	full := make(chan directRead, 2)
	empty <- d.memory[:directBlock]
	empty <- d.memory[directBlock:]
	reader := &system{kernel: d.kernel, claims: d.claims}
	go d.readAhead(reader, empty, full)
	err := d.writeBehind(empty, full)
	close(empty)
	for range full { // until the reader closes it: then it no longer uses the memory
	}
	d.calls += reader.calls
	return err
}

// readAhead fills the empty buffers until the end of the source. It reads through the
// page cache up to the first aligned offset.
func (d *directCopy) readAhead(sys *system, empty <-chan []byte, full chan<- directRead) {
	defer close(full)
	at := d.from
	for buf := range empty {
		fd, part := d.in, buf
		if over := at % d.align; over != 0 {
			fd, part = d.src.FD, buf[:d.align-over]
		}
		n, err := sys.pread(fd, part, at)
		at += int64(n)
		full <- directRead{buf, n, err}
		if err != nil || n == 0 {
			return
		}
	}
}

func (d *directCopy) writeBehind(empty chan<- []byte, full <-chan directRead) error {
	for read := range full {
		switch {
		case read.err != nil && directRefused(read.err):
			return &refusal{read.err}
		case read.err != nil:
			return &ReadError{read.err}
		case read.n == 0:
			return nil
		}
		if err := d.put(read.buf[:min(int64(read.n), d.most)]); err != nil || d.most == 0 {
			return err
		}
		if d.dst.inUse {
			return &refusal{ErrShared}
		}
		empty <- read.buf
	}
	return nil
}

// put writes block at offset to: the aligned part directly, the rest through the page
// cache. A block starts at a page boundary, so an address in it is as aligned as its
// distance from the start of the block.
func (d *directCopy) put(block []byte) error {
	shared := d.dst.sharesOffset()
	if shared {
		d.claims.mu.Lock()
		defer d.claims.mu.Unlock()
		if err := d.claimSink(d.dst, int64(len(block))); err != nil {
			return &refusal{err}
		}
		d.to = d.dst.claim.at
	}
	for p := block; len(p) > 0; {
		fd, part := d.out, p[:int64(len(p))/d.align*d.align]
		into := int64(len(block) - len(p))
		d.method = Direct
		void := shared && !d.dst.claimed() // another process has set O_APPEND
		if len(part) == 0 || d.to%d.align != 0 || into%d.align != 0 || void {
			fd, part = d.dst.FD, p
			d.method = ReadWrite
		}
		n, err := d.putPart(fd, part)
		switch {
		case err != nil && fd == d.out && directRefused(err):
			return &refusal{err}
		case err != nil:
			return &WriteError{err}
		case n == 0:
			return &WriteError{ErrNoProgress}
		}
		d.from += int64(n)
		d.to += int64(n)
		d.most -= int64(n)
		d.src.fulfil(n)
		p = p[n:]
		if err := d.delivered(int64(n)); err != nil {
			return err
		}
	}
	return nil
}

// putPart writes part through fd, one of the two descriptors of the sink.
func (d *directCopy) putPart(fd int, part []byte) (int, error) {
	if fd == d.dst.FD && d.dst.sharesOffset() {
		return d.fill(d.dst, part)
	}
	n, err := d.pwrite(fd, part, d.to)
	d.dst.fulfil(n)
	return n, err
}

func reopen(fd, flags int) (int, error) {
	return unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), flags|unix.O_CLOEXEC, 0)
}

// directAlignment returns the alignment in bytes that O_DIRECT requires of offsets,
// lengths and addresses for an open file.
func directAlignment(fd int) int {
	var st unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &st)
	if err != nil || st.Mask&unix.STATX_DIOALIGN == 0 || st.Dio_offset_align == 0 {
		return defaultAlignment
	}
	return int(max(st.Dio_offset_align, st.Dio_mem_align, 512))
}
