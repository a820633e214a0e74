package splice

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Splicing a file into a pipe puts references to its page-cache pages there. A
// process that writes to the file before the pipe's reader has read changes the
// bytes that the reader gets. A stable copy takes a read lease on the file
// (F_SETLEASE, fcntl(2)). open(2) for writing and truncate(2) then wait until the
// copy releases the lease, when the reader has emptied the pipe, but no longer than
// lease-break-time (proc_sys_fs(5), 45 s by default).
//
// The kernel refuses a lease to a process that neither owns the file nor has
// CAP_LEASE (EACCES), while a process has the file open for writing (EAGAIN)
// and on filesystems without leases (EINVAL). Then the bytes are copied with
// read and write, unless splice alone is asked for.
//
// The guarantee covers the process that reads our pipe, not pipes beyond it.

// A LeaseState is the fate of a stable copy's lease.
type LeaseState uint8

const (
	LeaseNone    LeaseState = iota // none was asked for
	LeaseHeld                      // held until the reader had everything
	LeaseRefused                   // refused: the bytes were copied
	LeaseBroken                    // a writer came: the reader got what was on its way, the rest was copied
	LeaseLost                      // the reader took longer than lease-break-time
)

func (s LeaseState) String() string {
	return [...]string{"none", "held", "refused", "broken", "lost"}[s]
}

// leasable reports whether a method leaves references to pages in a pipe, so
// that a stable copy by it needs a lease. The others copy.
func leasable(m Method) bool { return m == Auto || m == Splice }

// A lease is held until it is released. A nil lease is none.
//
// It belongs to an open file description of our own. Other processes may share the
// caller's: one of them could release the lease, and they would keep it if we were
// killed.
type lease struct {
	sys *system
	fd  int // the file, opened once more
}

// takeLease takes a lease on the regular file that src refers to. It returns
// nil and the errno if the kernel refuses, or if the file cannot be opened once
// more: without /proc, without the right to read it, beyond RLIMIT_NOFILE, or
// while another process has a write lease that O_NONBLOCK does not wait for.
func takeLease(s *system, src int) (*lease, error) {
	fd, err := s.reopen(src, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	s.calls += 2 // with F_SETSIG
	if err := s.setLease(fd, unix.F_RDLCK); err != nil {
		s.close(fd)
		return nil, err
	}
	return &lease{s, fd}, nil
}

// breaking reports whether a process waits for the lease, or the kernel has already
// removed it: F_GETLEASE does not tell the two apart.
func (l *lease) breaking() bool {
	if l == nil {
		return false
	}
	l.sys.calls++
	kind, err := l.sys.kernel.lease(l.fd)
	return err != nil || kind != unix.F_RDLCK
}

// release releases the lease. It returns false if the kernel had removed it before
// (EAGAIN), so that a writer may have continued.
func (l *lease) release() bool {
	if l == nil {
		return true
	}
	l.sys.calls++
	err := l.sys.setLease(l.fd, unix.F_UNLCK)
	l.sys.close(l.fd)
	return err == nil
}

// stable copies a regular file into a pipe under a lease.
func (t *transfer) stable() error {
	t.method = ReadWrite
	guard, err := takeLease(&t.system, t.src.FD)
	if err != nil {
		t.report.Lease, t.report.LeaseErr = LeaseRefused, err
		if t.options.Method == Splice {
			return &UnservedError{Method: Splice, Src: t.src.Kind, Dst: t.dst.Kind, Errno: ErrNoLease}
		}
		return readWrite(t)
	}
	t.report.Lease = LeaseHeld
	copied, err := t.spliceGuarded(guard)
	var lost error
	if !t.awaitReader(guard) {
		t.report.Lease, lost = LeaseLost, &ReadError{ErrLeaseLost}
	}
	no, unsuited := err.(*refusal)
	switch {
	case unsuited:
		if err := t.fallBack(ReadWrite, no.errno, t.dst.Kind); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	// What was in the private pipe when a writer came, then the rest. It is
	// delivered also when the promise is lost, as by a plain copy.
	t.method = ReadWrite
	if err := t.writeSink(copied); err != nil {
		return err
	}
	if err := readWrite(t); err != nil {
		return err
	}
	return lost
}

// spliceGuarded splices until the source ends or somebody waits for the lease.
// Then it takes the bytes that are still in the private pipe out of it, so
// that the lease has to outlast only what the reader's own pipe holds, and
// returns them.
func (t *transfer) spliceGuarded(guard *lease) (copied []byte, err error) {
	t.method = Splice
	p, err := t.copier.emptyPipe(&t.system, &t.copier.pipe)
	if err != nil {
		return nil, &refusal{err}
	}
	t.prepare()
	for t.left > 0 && !guard.breaking() {
		if err := t.fillPipe(p); err != nil || p.held == 0 {
			return nil, err
		}
		if err := t.drainGuarded(p, guard); err != nil {
			return nil, err
		}
		if p.held == 0 && t.offsetIsShared() {
			return nil, &refusal{ErrShared}
		}
	}
	if guard.breaking() {
		t.report.Lease = LeaseBroken
		return t.readAll(p)
	}
	return nil, nil
}

// leasePoll is the interval in milliseconds at which a copy that waits for its reader
// checks the lease: a small part of the shortest lease-break-time, 1 s.
const leasePoll = 50

// drainGuarded drains as drain does, but neither blocks in splice nor goes on
// when somebody waits for the lease: bytes may then be left in the pipe.
func (t *transfer) drainGuarded(p *pipe, guard *lease) error {
	return t.drainWhile(p, unix.SPLICE_F_NONBLOCK, func() (bool, error) {
		if _, err := t.poll(t.dst.FD, unix.POLLOUT, leasePoll); err != nil {
			return false, &WriteError{err}
		}
		return !guard.breaking(), nil
	})
}

// readAll reads what is left in the private pipe.
func (t *transfer) readAll(p *pipe) ([]byte, error) {
	taken := make([]byte, p.held)
	for got := 0; p.held > 0; {
		n, err := t.read(p.r, taken[got:])
		if err == unix.ENODATA || err == nil && n == 0 {
			return nil, &ReadError{ErrTruncated}
		}
		if err != nil {
			return nil, &ReadError{err}
		}
		got += n
		p.held -= n
	}
	return taken, nil
}

// awaitReader waits until the reader has emptied the sink's pipe or has gone, and
// releases the lease. It returns false if the kernel removed the lease before.
func (t *transfer) awaitReader(guard *lease) bool {
	nap := 20 * time.Microsecond
	var deadline time.Time
	for {
		done := t.readerIsDone()
		breaking := guard.breaking()
		if breaking && t.report.Lease == LeaseHeld {
			t.report.Lease = LeaseBroken
		}
		if done {
			return guard.release()
		}
		if breaking && deadline.IsZero() {
			deadline = t.now().Add(t.leaseTime() + time.Second)
		}
		if breaking && t.now().After(deadline) {
			guard.release()
			return false
		}
		t.sleep(nap)
		nap = min(2*nap, leasePoll*time.Millisecond)
	}
}

// readerIsDone reports whether the sink's pipe is empty or has no reader left.
func (t *transfer) readerIsDone() bool {
	if n, err := t.unread(t.dst.FD); err != nil || n == 0 {
		return true
	}
	broken, _ := t.poll(t.dst.FD, 0, 0) // only POLLERR: the reader has gone
	return broken
}

// setLease takes (F_RDLCK) or gives back (F_UNLCK) a lease. When somebody waits
// for it, the kernel sends a signal: by default SIGIO, which ends the process,
// so before there is a lease it is made SIGURG, which does nothing. breaking
// asks for itself.
func setLease(fd, kind int) error {
	if kind == unix.F_RDLCK {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETSIG, int(unix.SIGURG)); err != nil {
			return err
		}
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, kind)
	return err
}

// leaseBreakTime reads lease-break-time, 45 s where that cannot be read.
func leaseBreakTime() time.Duration {
	text, err := os.ReadFile("/proc/sys/fs/lease-break-time")
	seconds, convErr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || convErr != nil {
		seconds = 45
	}
	return time.Duration(seconds) * time.Second
}
