package splice

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A fakeFile is a regular file or a block device, in pages that pipes refer to.
type fakeFile struct {
	k     *fakeKernel
	pages [][]byte
	size  int64
	fs    int64 // magic number
	align int   // of O_DIRECT, in bytes

	known   int64      // where fstat and all but read and pread find the end; -1 is the true one
	atOnce  int        // bytes that one read gives at most; 0 is no limit
	refusal unix.Errno // what all but read say
	bad     int64      // offset of what cannot be read, for badErr; -1 is none
	badErr  unix.Errno
	full    int64 // offset from which nothing can be written, for fullErr; -1 is none
	fullErr unix.Errno

	leased   bool
	noLease  unix.Errno
	writers  []*fakeWriter
	admitted bool // a writer has it open
}

// A fakeWriter opens the file and changes it, once the lease lets it.
type fakeWriter struct {
	step   int // comes at this one
	change func(*fakeFile)
	since  time.Time // when it came
}

func newFakeFile(k *fakeKernel, content []byte) *fakeFile {
	f := &fakeFile{k: k, align: 512, known: -1, bad: -1, full: -1, fs: unix.TMPFS_MAGIC}
	f.writeAt(content, 0)
	return f
}

// content returns what every source has at an offset; it is not to be changed.
func content(offset, n int64) []byte { return everything()[offset:][:n:n] }

// everything is numbers that differ from their neighbours, so that what is
// missing, twice or elsewhere is seen.
var everything = sync.OnceValue(func() []byte {
	p := make([]byte, 20<<20)
	for i := range len(p) / 8 {
		binary.LittleEndian.PutUint64(p[i*8:], uint64(i+1)*0x9e3779b97f4a7c15)
	}
	return p
})

func (f *fakeFile) writeAt(p []byte, at int64) {
	f.resize(max(f.size, at+int64(len(p))))
	for len(p) > 0 {
		n := copy(f.pages[at/page][at%page:], p)
		p = p[n:]
		at += int64(n)
	}
}

// resize cuts whole pages off, which pipes may still refer to, and clears the
// rest of the last one, which they see.
func (f *fakeFile) resize(size int64) {
	count := int((size + page - 1) / page)
	if more := count - len(f.pages); more > 0 {
		f.pages = slices.AppendSeq(f.pages, slices.Chunk(make([]byte, more*page), page))
	}
	f.pages = f.pages[:count]
	if size < f.size && size%page != 0 {
		clear(f.pages[count-1][size%page:])
	}
	f.size = size
}

// grow adds what every source has there.
func (f *fakeFile) grow(n int64) { f.writeAt(content(f.size, n), f.size) }

func (f *fakeFile) bytes() []byte {
	p := make([]byte, 0, len(f.pages)*page)
	for _, data := range f.pages {
		p = append(p, data...)
	}
	return p[:f.size]
}

func (f *fakeFile) peek(d *opened, n int, plain bool) ([]slot, error) {
	end := f.size
	if !plain {
		if f.refusal != 0 {
			return nil, f.k.says("splice in", either, f.refusal)
		}
		if f.known >= 0 {
			end = min(end, f.known)
		}
	} else if f.atOnce > 0 {
		n = min(n, f.atOnce)
	}
	if f.bad >= 0 && d.offset <= f.bad {
		end = min(end, f.bad)
		if d.offset == f.bad && f.bad < f.size {
			return nil, f.k.says("read", source, f.badErr)
		}
	}
	var seen []slot
	for at := d.offset; at < end && n > 0; {
		m := min(page-at%page, int64(n), end-at)
		seen = append(seen, slot{data: f.pages[at/page][at%page:][:m]})
		at += m
		n -= int(m)
	}
	return seen, nil
}

func (f *fakeFile) take(d *opened, n int) { d.offset += int64(n) }

func (f *fakeFile) put(d *opened, slots []slot, _ manner) (int, error) {
	at, done := d.offset, 0
	if d.flags&unix.O_APPEND != 0 {
		at = f.size
	}
	for _, s := range slots {
		data := s.data
		if f.full >= 0 {
			data = data[:max(0, min(int64(len(data)), f.full-at))]
		}
		switch {
		case s.errno == unix.ENODATA || s.errno != 0 && done > 0:
			return done, nil
		case s.errno != 0:
			return 0, f.k.says("splice out", source, s.errno)
		case len(data) == 0 && done == 0:
			return 0, f.k.says("write", d.who, f.fullErr)
		}
		f.writeAt(data, at)
		at += int64(len(data))
		done += len(data)
		d.offset = at
		if len(data) < len(s.data) {
			break
		}
	}
	return done, nil
}

func (k *fakeKernel) fileAt(fd int) (*opened, *fakeFile) {
	d := k.at(fd)
	f, _ := d.object.(*fakeFile)
	return d, f
}

// aligned reports whether O_DIRECT, if d has it, takes these.
func (f *fakeFile) aligned(d *opened, p []byte, offset int64) bool {
	align := int64(f.align)
	address := int64(uintptr(unsafe.Pointer(&p[0])))
	return d.flags&unix.O_DIRECT == 0 || offset%align == 0 && int64(len(p))%align == 0 && address%align == 0
}

func (k *fakeKernel) pread(fd int, p []byte, offset int64) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, f := k.fileAt(fd)
	most, err := k.begin("pread", d.who, d, 0, len(p))
	if err != nil {
		return -1, err
	}
	if !f.aligned(d, p, offset) {
		return -1, k.says("pread", either, unix.EINVAL)
	}
	slots, err := f.peek(&opened{description: &description{offset: offset}}, most, true)
	if err != nil {
		return -1, err
	}
	n := 0
	for _, s := range slots {
		n += copy(p[n:], s.data)
	}
	return n, nil
}

func (k *fakeKernel) pwrite(fd int, p []byte, offset int64) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, f := k.fileAt(fd)
	most, err := k.begin("pwrite", d.who, d, 0, len(p))
	if err != nil {
		return -1, err
	}
	if !f.aligned(d, p, offset) {
		return -1, k.says("pwrite", either, unix.EINVAL)
	}
	if most == 0 {
		return 0, nil
	}
	n, err := f.put(&opened{description: &description{offset: offset, flags: d.flags}, who: d.who}, slotsIn(p[:most]), manner{})
	if err != nil {
		return -1, err
	}
	return n, nil
}

func (k *fakeKernel) seek(fd int, offset int64, whence int) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("lseek")
	d, f := k.fileAt(fd)
	if f == nil {
		return -1, k.says("lseek", nobody, unix.ESPIPE)
	}
	to := offset
	switch whence {
	case unix.SEEK_CUR:
		to += d.offset
	case unix.SEEK_END:
		to += f.size
	}
	if to < 0 {
		return -1, k.says("lseek", nobody, unix.EINVAL)
	}
	d.offset = to
	return to, nil
}

func (k *fakeKernel) clone(out, in int, n int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.simple("clone", either); err != nil {
		return err
	}
	_, from := k.fileAt(in)
	d, to := k.fileAt(out)
	switch {
	case d.flags&unix.O_APPEND != 0:
		return k.says("clone", either, unix.EBADF)
	case from.refusal != 0:
		return k.says("clone", either, from.refusal)
	case !offloads(from.fs):
		return k.says("clone", either, unix.EOPNOTSUPP)
	}
	whole := from.bytes()
	if n > 0 && n != from.size || n > 0 && to.size > n {
		return k.says("clone", either, unix.EINVAL) // only ends of files need not be aligned
	}
	to.writeAt(whole, 0)
	return nil
}

func (k *fakeKernel) reopen(fd, flags int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, f := k.fileAt(fd)
	if err := k.simple("reopen", d.who); err != nil {
		return -1, err
	}
	if f.refusal != 0 {
		return -1, k.says("reopen", either, f.refusal)
	}
	return k.addPrivate(f, d.who, d.kind, flags).fd, nil
}

func (k *fakeKernel) alignment(fd int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("statx")
	_, f := k.fileAt(fd)
	return f.align
}

func (k *fakeKernel) allocate(fd int, offset, n int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, f := k.fileAt(fd); f == nil || n <= 0 || offset < 0 {
		k.foul("fallocate of %d bytes at %d", n, offset)
	}
	return k.simple("fallocate", nobody)
}

func (k *fakeKernel) advise(int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.simple("fadvise", nobody)
}

// A mapping is memory that stands for a part of a file. What it holds itself
// is never to be seen.
type mapping struct {
	memory []byte
	file   *fakeFile
	offset int64
}

func (k *fakeKernel) mmap(fd int, offset int64, n int) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, f := k.fileAt(fd)
	if err := k.simple("mmap", source); err != nil {
		return nil, err
	}
	switch {
	case f.known >= 0 || f.refusal != 0:
		return nil, k.says("mmap", nobody, unix.ENODEV)
	case offset%page != 0 || n <= 0:
		k.foul("mmap of %d bytes at %d", n, offset)
		return nil, unix.EINVAL
	}
	m := mapping{make([]byte, n), f, offset}
	k.mappings = append(k.mappings, m)
	return m.memory, nil
}

func (k *fakeKernel) munmap(p []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("munmap")
	for i, m := range k.mappings {
		if &m.memory[0] == &p[0] && len(m.memory) == len(p) {
			k.mappings = append(k.mappings[:i:i], k.mappings[i+1:]...)
			return nil
		}
	}
	k.foul("munmap of what is not a mapping")
	return unix.EINVAL
}

// slotsOf returns what write(2) finds in p: of a mapping, the file's pages of
// this moment, up to the first that cannot be had.
func (k *fakeKernel) slotsOf(p []byte) ([]slot, error) {
	for _, m := range k.mappings {
		index := int64(uintptr(unsafe.Pointer(&p[0]))) - int64(uintptr(unsafe.Pointer(&m.memory[0])))
		if index < 0 || index >= int64(len(m.memory)) {
			continue
		}
		seen := m.file.mapped(m.offset+index, int64(len(p)))
		if len(seen) == 0 {
			k.says("write", source, unix.EFAULT)
			return nil, unix.EFAULT
		}
		return slotsIn(seen), nil
	}
	return slotsIn(p), nil
}

// mapped is the memory from offset on, which ends with the last page.
func (f *fakeFile) mapped(offset, n int64) []byte {
	end := min(offset+n, int64(len(f.pages))*page)
	if f.bad >= 0 && end > f.bad/page*page {
		end = f.bad / page * page
	}
	var p []byte
	for at := offset; at < end; {
		part := f.pages[at/page][at%page:]
		part = part[:min(int64(len(part)), end-at)]
		p = append(p, part...)
		at += int64(len(part))
	}
	return p
}

func (k *fakeKernel) size(fd int) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, f := k.fileAt(fd)
	if err := k.simple("fstat", d.who); err != nil {
		return 0, err
	}
	return f.stat(), nil
}

// stat is the size that fstat gives.
func (f *fakeFile) stat() int64 {
	if f.known >= 0 {
		return f.known
	}
	return f.size
}

func (k *fakeKernel) filesystem(fd int) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.simple("fstatfs", nobody); err != nil {
		return 0, err
	}
	_, f := k.fileAt(fd)
	return f.fs, nil
}

func (k *fakeKernel) setLease(fd, kind int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, f := k.fileAt(fd)
	if !d.private {
		k.foul("a lease on the caller's open file description")
	}
	if kind == unix.F_RDLCK {
		k.counted++ // F_SETSIG
	}
	if kind == unix.F_UNLCK {
		k.step("F_SETLEASE F_UNLCK")
		if !f.leased {
			return unix.EAGAIN
		}
		f.leased = false
		f.admitWriters()
		return nil
	}
	if err := k.simple("F_SETLEASE", nobody); err != nil {
		return err
	}
	switch {
	case f.noLease != 0:
		return k.says("F_SETLEASE", nobody, f.noLease)
	case f.admitted:
		return k.says("F_SETLEASE", nobody, unix.EAGAIN)
	}
	f.leased = true
	return nil
}

func (k *fakeKernel) lease(fd int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.simple("F_GETLEASE", nobody); err != nil {
		return -1, err
	}
	_, f := k.fileAt(fd)
	for _, w := range f.writers {
		if !w.since.IsZero() {
			return unix.F_UNLCK, nil
		}
	}
	if f.leased {
		return unix.F_RDLCK, nil
	}
	return unix.F_UNLCK, nil
}

// admitWriters lets in who has come and finds no lease, or has waited for it
// as long as the kernel makes one wait.
func (f *fakeFile) admitWriters() {
	var waiting []*fakeWriter
	for _, w := range f.writers {
		if w.since.IsZero() && f.k.steps >= w.step {
			w.since = f.k.clock
		}
		came := !w.since.IsZero()
		if came && f.leased && f.k.clock.Sub(w.since) > f.k.leaseTime {
			f.leased = false
		}
		if came && !f.leased {
			w.change(f)
			f.admitted = true
			continue
		}
		waiting = append(waiting, w)
	}
	f.writers = waiting
}
