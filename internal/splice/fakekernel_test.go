package splice

import (
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A fakeKernel answers the engine's system calls from memory. Its objects are in
// fakefile_test.go, fakepipe_test.go and fakestream_test.go. A test adds faults: short
// counts and errnos that a call returns instead. The fake kernel records as a foul what
// no caller may do: spin on EAGAIN, block on a full pipe that nobody drains, close a
// descriptor of somebody else, run for ever. conformance_test.go compares it with the
// real kernel.
type fakeKernel struct {
	mu      sync.Mutex
	open    map[int]*opened
	faults  map[site][]fault
	said    []answer     // every errno given but EINTR and EAGAIN
	owed    *unix.PollFd // the poll that has to follow an EAGAIN
	fouls   []string
	calls   map[string]int // how often each was made
	steps   int            // all of them
	counted int64          // those that a Report counts
	others  []*otherProcess
	budget  int // of steps
	clock   time.Time
	naps    int

	biggestPipe int // bytes: what F_SETPIPE_SZ gives at most
	leaseTime   time.Duration
	sizeLimit   int64 // RLIMIT_FSIZE
	mappings    []mapping
}

// A party of a copy is whose fault an errno is.
type party int

const (
	nobody  party = -2 // a resource of the engine's own
	either  party = -1 // a call that both reads and writes
	source  party = 0
	theSink party = 1 // and 2, 3, ... where there are several
)

// A site is where faults are put: a call that concerns a party.
type site struct {
	call string
	who  party
}

// A fault is what one call answers instead of doing all that it could.
type fault struct {
	errno unix.Errno
	most  int  // bytes; 0 is no limit
	zero  bool // returns 0, without an error
}

// An answer is an errno that was given.
type answer struct {
	call  string
	who   party
	errno unix.Errno
}

// An object is what a descriptor refers to.
type object interface {
	// peek returns references to the next bytes, at most n and possibly fewer;
	// none is the end. plain is read(2)'s way, else it is the kernel's own.
	peek(d *opened, n int, plain bool) ([]slot, error)
	// take moves on behind n bytes that were seen.
	take(d *opened, n int)
	// put takes bytes, in order, and returns how many.
	put(d *opened, s []slot, how manner) (int, error)
}

// A manner of putting.
type manner struct {
	whole    bool // waits until all of it is taken, as a blocking write(2) does
	nonblock bool
}

// An opened is one entry of the table of descriptors.
type opened struct {
	object
	*description
	fd      int
	who     party
	kind    Kind
	private bool // made by the engine
}

// A description is an open file description, which several descriptors may
// have, also of other processes.
type description struct {
	flags  int
	offset int64
}

func newFakeKernel() *fakeKernel {
	return &fakeKernel{
		open: map[int]*opened{}, faults: map[site][]fault{}, calls: map[string]int{},
		budget: 20000, clock: time.Unix(1e9, 0), biggestPipe: 1 << 20, leaseTime: 45 * time.Second,
		sizeLimit: math.MaxInt64,
	}
}

func (k *fakeKernel) table() *kernel {
	return &kernel{
		read: k.read, write: k.write, pread: k.pread, pwrite: k.pwrite, seek: k.seek,
		flags: k.flags, fileSizeLimit: k.fileSizeLimit, recordLength: k.recordLength, lift: k.lift,
		splice: k.splice, tee: k.tee, copyFileRange: k.copyFileRange, sendfile: k.sendfile, clone: k.clone,
		poll: k.poll, pipe: k.pipe, setPipeSize: k.setPipeSize, pipeSize: k.pipeSize, unread: k.unread,
		reopen: k.reopen, alignment: k.alignment, allocate: k.allocate, advise: k.advise,
		mmap: k.mmap, munmap: k.munmap, size: k.size, filesystem: k.filesystem,
		setLease: k.setLease, lease: k.lease, leaseTime: func() time.Duration { return k.leaseTime },
		close: k.close, sleep: k.sleep, yield: k.yield, now: k.now,
	}
}

// add opens an object, as the caller of the engine would have done.
func (k *fakeKernel) add(o object, who party, kind Kind, flags int) *opened {
	fd := 3
	for k.open[fd] != nil {
		fd++
	}
	d := &opened{object: o, description: &description{flags: flags}, fd: fd, who: who, kind: kind}
	k.open[fd] = d
	return d
}

// addPrivate opens an object as the engine does.
func (k *fakeKernel) addPrivate(o object, who party, kind Kind, flags int) *opened {
	fd := highDescriptor
	for k.open[fd] != nil {
		fd++
	}
	d := &opened{object: o, description: &description{flags: flags}, fd: fd, who: who, kind: kind, private: true}
	k.open[fd] = d
	return d
}

// at returns what is open as fd. Its object is nil if nothing is.
func (k *fakeKernel) at(fd int) *opened {
	if d := k.open[fd]; d != nil {
		return d
	}
	k.foul("descriptor %d is not open", fd)
	return &opened{description: &description{}, fd: fd, object: &fakeStream{k: k}}
}

func (k *fakeKernel) foul(format string, args ...any) {
	if len(k.fouls) < 5 {
		k.fouls = append(k.fouls, fmt.Sprintf(format, args...))
	}
}

// says notes an errno and returns it.
func (k *fakeKernel) says(call string, who party, errno unix.Errno) error {
	k.said = append(k.said, answer{call, who, errno})
	return errno
}

// again is the EAGAIN after which d has to be polled for events, if it is
// nonblocking or the call was. Otherwise it is an errno like any other.
func (k *fakeKernel) again(call string, d *opened, events int16, nonblock bool) error {
	if !nonblock && d.flags&unix.O_NONBLOCK == 0 {
		return k.says(call, d.who, unix.EAGAIN)
	}
	k.owed = &unix.PollFd{Fd: int32(d.fd), Events: events}
	return unix.EAGAIN
}

// step begins a call: everybody else does a little, and a caller that does not
// poll after EAGAIN, or never comes to an end, is found out.
func (k *fakeKernel) step(call string) {
	k.steps++
	k.calls[call]++
	k.clock = k.clock.Add(time.Microsecond)
	if call != "sleep" {
		k.counted++
	}
	if k.owed != nil && call != "poll" && call != "sleep" && call != "F_GETLEASE" && call != "F_GETFL" {
		k.foul("%s after EAGAIN, not poll on %d", call, k.owed.Fd)
	}
	if k.steps == k.budget+1 {
		k.foul("no end after %d calls: %v", k.budget, k.calls)
	}
	if k.steps/2 > k.budget { // 2*k.budget may be more than an int holds
		panic(fmt.Sprintf("no end, whatever the errors: %v", k.calls))
	}
	k.world(call)
}

// world lets readers read and writers write, before a call.
func (k *fakeKernel) world(call string) {
	for _, o := range k.others {
		if call == "pwrite" { // follows the call before it closely
			break
		}
		for len(o.acts) > 0 && k.steps >= o.acts[0].step {
			o.acts[0].do(o)
			o.acts = o.acts[1:]
		}
	}
	for fd := 3; k.open[fd] != nil; fd++ {
		switch o := k.open[fd].object.(type) {
		case *fakePipe:
			o.atPace()
		case *fakeFile:
			o.admitWriters()
		}
	}
}

func (k *fakeKernel) popFault(call string, who party) fault {
	s := site{call, who}
	if len(k.faults[s]) == 0 {
		return fault{}
	}
	f := k.faults[s][0]
	k.faults[s] = k.faults[s][1:]
	return f
}

// begin begins a call that is to move n bytes. d is the descriptor that an
// EAGAIN would be about. most is what the call may move; 0 is to be returned
// as it is.
func (k *fakeKernel) begin(call string, who party, d *opened, events int16, n int) (most int, err error) {
	k.step(call)
	if k.steps > k.budget {
		return 0, unix.ENOTRECOVERABLE
	}
	if n <= 0 || n > 0x7ffff000 {
		k.foul("%s of %d bytes", call, n)
	}
	f := k.popFault(call, who)
	switch {
	case f.errno == unix.EINTR:
		return 0, unix.EINTR
	case f.errno == unix.EAGAIN:
		return 0, k.again(call, d, events, false)
	case f.errno != 0:
		return 0, k.says(call, who, f.errno)
	case f.zero:
		return 0, nil
	case f.most > 0:
		return min(n, f.most), nil
	}
	return n, nil
}

// simple begins a call that moves nothing.
func (k *fakeKernel) simple(call string, who party) error {
	k.step(call)
	switch f := k.popFault(call, who); {
	case f.errno == unix.EINTR:
		return unix.EINTR
	case f.errno != 0:
		return k.says(call, who, f.errno)
	}
	return nil
}

// move is what read, write, splice, tee, sendfile and copy_file_range have in
// common. A call that fails returns -1, as x/sys does.
func move(src, dst *opened, n int, how manner) (int, error) {
	slots, err := src.peek(src, n, false)
	if err != nil {
		return -1, err
	}
	if len(slots) == 0 {
		return 0, nil
	}
	moved, err := dst.put(dst, slots, how)
	if err != nil {
		return -1, err
	}
	return moved, nil
}

func (k *fakeKernel) read(fd int, p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.at(fd)
	most, err := k.begin("read", d.who, d, unix.POLLIN, len(p))
	if err != nil {
		return -1, err
	}
	slots, err := d.peek(d, most, true)
	if err != nil {
		return -1, err
	}
	n := 0
	for _, s := range slots {
		if s.errno != 0 && n == 0 {
			return -1, k.says("read", source, s.errno)
		}
		if s.errno != 0 {
			break
		}
		n += copy(p[n:], s.data)
	}
	d.take(d, n)
	return n, nil
}

func (k *fakeKernel) write(fd int, p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.at(fd)
	most, err := k.begin("write", d.who, d, unix.POLLOUT, len(p))
	if err != nil {
		return -1, err
	}
	if most == 0 {
		return 0, nil
	}
	slots, err := k.slotsOf(p[:most])
	if err != nil {
		return -1, err
	}
	n, err := d.put(d, slots, manner{whole: true})
	if err != nil {
		return -1, err
	}
	return n, nil
}

// placed returns what is open at a place, with the offset there. What moves that
// offset does not move the descriptor's own.
func (k *fakeKernel) placed(p place) *opened {
	d := k.at(p.fd)
	if p.at == ownOffset {
		return d
	}
	f, isFile := d.object.(*fakeFile)
	if !isFile || p.at < 0 {
		k.foul("offset %d of descriptor %d", p.at, p.fd)
		return d
	}
	elsewhere := *d
	elsewhere.description = &description{offset: p.at, flags: d.flags}
	elsewhere.object = f
	return &elsewhere
}

func (k *fakeKernel) splice(in, out place, n, flags int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	src, dst := k.placed(in), k.placed(out)
	call, outer, events := "splice in", src, int16(unix.POLLIN)
	if src.private {
		call, outer, events = "splice out", dst, unix.POLLOUT
	}
	if src.private == dst.private {
		k.foul("splice from %d to %d, not through one private pipe", in.fd, out.fd)
	}
	if flags&^unix.SPLICE_F_NONBLOCK != 0 {
		k.foul("splice with flags %#x", flags)
	}
	most, err := k.begin(call, outer.who, outer, events, n)
	if err != nil {
		return -1, err
	}
	src.description, dst.description = k.placed(in).description, k.placed(out).description // others may have set O_APPEND
	if most == 0 {
		return 0, nil
	}
	switch {
	case outer.kind == Terminal:
		k.foul("splice from or to a terminal")
	case outer.kind == Other || outer.kind == Directory,
		outer == dst && outer.kind != Pipe && outer.flags&unix.O_APPEND != 0:
		return -1, k.says(call, outer.who, unix.EINVAL)
	}
	moved, err := move(src, dst, most, manner{nonblock: flags&unix.SPLICE_F_NONBLOCK != 0})
	if moved > 0 {
		src.take(src, moved)
	}
	return moved, err
}

func (k *fakeKernel) tee(in, out, n int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	src, dst := k.at(in), k.at(out)
	most, err := k.begin("tee", dst.who, dst, unix.POLLOUT, n)
	if err != nil {
		return -1, err
	}
	if !src.private || dst.kind != Pipe {
		k.foul("tee from %d to %d", in, out)
	}
	if most == 0 {
		return 0, nil
	}
	return move(src, dst, most, manner{})
}

func (k *fakeKernel) copyFileRange(in, out place, n int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	src, dst := k.placed(in), k.placed(out)
	most, err := k.begin("copy_file_range", either, dst, 0, n)
	if err != nil {
		return -1, err
	}
	src.description, dst.description = k.placed(in).description, k.placed(out).description // others may have set O_APPEND
	if most == 0 {
		return 0, nil
	}
	if dst.flags&unix.O_APPEND != 0 {
		return -1, k.says("copy_file_range", either, unix.EBADF)
	}
	moved, err := move(src, dst, most, manner{})
	if moved > 0 {
		src.take(src, moved)
	}
	return moved, err
}

func (k *fakeKernel) sendfile(out int, in place, n int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	src, dst := k.placed(in), k.at(out)
	most, err := k.begin("sendfile", either, dst, unix.POLLOUT, n)
	if err != nil {
		return -1, err
	}
	if most == 0 {
		return 0, nil
	}
	if dst.flags&unix.O_APPEND != 0 {
		return -1, k.says("sendfile", either, unix.EINVAL)
	}
	moved, err := move(src, dst, most, manner{})
	if moved > 0 {
		src.take(src, moved)
	}
	return moved, err
}

func (k *fakeKernel) flags(fd int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("F_GETFL")
	return k.at(fd).flags, nil
}

// recordLength is recv(2) with MSG_PEEK and MSG_TRUNC.
func (k *fakeKernel) recordLength(fd int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.at(fd)
	if _, err := k.begin("recv", d.who, d, unix.POLLIN, 1); err != nil {
		return -1, err
	}
	st, ok := d.object.(*fakeStream)
	if !ok || !st.records {
		k.foul("recv of what is no socket of records")
		return -1, unix.ENOTSOCK
	}
	slots, err := st.peek(d, math.MaxInt, true)
	if err != nil {
		return -1, err
	}
	n := 0
	for _, s := range slots {
		n += len(s.data)
	}
	return n, nil
}

func (k *fakeKernel) fileSizeLimit() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("getrlimit")
	return k.sizeLimit
}

func (k *fakeKernel) lift(fd, least int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counted++ // nobody else does anything meanwhile
	low := k.at(fd)
	high := k.addPrivate(low.object, low.who, low.kind, 0)
	high.description = low.description
	return high.fd, nil
}

func (k *fakeKernel) poll(fds []unix.PollFd, timeout int) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	want, owed := fds[0], k.owed
	if owed != nil && (owed.Fd != want.Fd || owed.Events != want.Events || len(fds) > 1) {
		k.foul("EAGAIN of %d for events %#x, but poll on %d for %#x", owed.Fd, owed.Events, want.Fd, want.Events)
	}
	k.owed = nil
	if err := k.simple("poll", k.at(int(want.Fd)).who); err != nil {
		return -1, err
	}
	ready := 0
	for i := range fds {
		fds[i].Revents = 0
		if fds[i].Fd >= 0 {
			fds[i].Revents = k.pollOne(k.at(int(fds[i].Fd)), fds[i].Events, timeout)
		}
		if fds[i].Revents != 0 {
			ready++
		}
	}
	return ready, nil
}

// pollOne waits until d is ready, if it can be.
func (k *fakeKernel) pollOne(d *opened, events int16, timeout int) int16 {
	switch o := d.object.(type) {
	case *fakePipe:
		return o.poll(d, events, timeout)
	case *fakeStream:
		o.arrive()
	case *fakeHole:
		o.makeRoom()
	case *fakeBell:
		return o.poll(events)
	}
	return events
}

func (k *fakeKernel) close(fd int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counted++
	if d := k.at(fd); !d.private {
		k.foul("close of descriptor %d, which was given", fd)
	}
	delete(k.open, fd)
	return nil
}

func (k *fakeKernel) sleep(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("sleep")
	k.naps++
	k.clock = k.clock.Add(d)
	for fd := 3; k.open[fd] != nil; fd++ {
		if p, ok := k.open[fd].object.(*fakePipe); ok {
			p.readAll()
		}
	}
}

func (k *fakeKernel) yield() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step("sched_yield")
}

func (k *fakeKernel) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clock
}

// leaks lists what the engine has left behind.
func (k *fakeKernel) leaks() []string {
	var left []string
	for fd, d := range k.open {
		if d.private {
			left = append(left, fmt.Sprintf("descriptor %d is open", fd))
		}
		if f, ok := d.object.(*fakeFile); ok && f.leased {
			left = append(left, fmt.Sprintf("descriptor %d has a lease", fd))
		}
	}
	if len(k.mappings) > 0 {
		left = append(left, "a mapping")
	}
	return left
}
