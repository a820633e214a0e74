package poller

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// enough is when something counts as hanging.
const enough = time.Minute

func start(t *testing.T) *Poller {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

func put(t *testing.T, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, []byte("x")); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, fd int) {
	t.Helper()
	if _, err := unix.Read(fd, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// must polls and wants so many descriptors that something has happened to.
func (p *Poller) must(t *testing.T, want int, limit time.Duration, fds ...unix.PollFd) []unix.PollFd {
	t.Helper()
	n, err := p.Poll(fds, limit)
	if n != want || err != nil {
		t.Fatalf("%d, %v, want %d: %+v", n, err, want, fds)
	}
	return fds
}

func TestItWaitsForWhatHasHappenedAndForWhatWill(t *testing.T) {
	p := start(t)
	a, b := pair(t)
	in := unix.PollFd{Fd: int32(a), Events: unix.POLLIN}
	p.must(t, 0, 0, in)
	put(t, b)
	for range 3 { // what is not taken is reported again
		p.must(t, 1, enough, in)
	}
	take(t, a)
	p.must(t, 0, 10*time.Millisecond, in)
	go func() { time.Sleep(20 * time.Millisecond); _, _ = unix.Write(b, []byte("y")) }()
	p.must(t, 1, -1, in)
}

func TestReadersAndWritersOfOneDescriptorWaitTogether(t *testing.T) {
	p := start(t)
	a, b := pair(t)
	for { // until it is full
		if _, err := unix.Write(a, make([]byte, 4096)); err != nil {
			break
		}
	}
	var waiting sync.WaitGroup
	for _, events := range []int16{unix.POLLIN, unix.POLLOUT, unix.POLLIN, 0} {
		waiting.Go(func() {
			fds := []unix.PollFd{{Fd: int32(a), Events: events}}
			if n, err := p.Poll(fds, enough); n != 1 || err != nil {
				t.Errorf("events %x: %d, %v", events, n, err)
			}
		})
	}
	p.must(t, 0, 20*time.Millisecond, unix.PollFd{Fd: int32(a), Events: unix.POLLIN})
	put(t, b)
	p.must(t, 0, 20*time.Millisecond, unix.PollFd{Fd: int32(a), Events: unix.POLLOUT})
	for {
		if _, err := unix.Read(b, make([]byte, 1<<16)); err != nil {
			break
		}
	}
	p.must(t, 1, enough, unix.PollFd{Fd: int32(a), Events: unix.POLLOUT})
	unix.Shutdown(b, unix.SHUT_RDWR) // the one that wants nothing is told of the hangup
	waiting.Wait()
}

func TestAHangupOfTheSecondDescriptorIsNoticed(t *testing.T) {
	p := start(t)
	a, _ := pair(t)
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	source, sink := unix.PollFd{Fd: int32(a), Events: unix.POLLIN}, unix.PollFd{Fd: int32(fds[1])}
	p.must(t, 0, 0, source, sink)
	unix.Close(fds[0])
	got := p.must(t, 1, enough, source, sink)
	if got[1].Revents&unix.POLLERR == 0 {
		t.Errorf("%+v", got)
	}
	p.must(t, 0, 0, source, unix.PollFd{Fd: -1})
}

func TestANumberThatIsUsedAgainIsAnotherDescriptor(t *testing.T) {
	p := start(t)
	for range 100 {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		p.must(t, 0, 0, unix.PollFd{Fd: int32(fds[0]), Events: unix.POLLIN})
		put(t, fds[1])
		p.must(t, 1, enough, unix.PollFd{Fd: int32(fds[0]), Events: unix.POLLIN})
		p.Forget(fds[0])
		unix.Close(fds[0])
		unix.Close(fds[1])
	}
	if len(p.watched) != 0 {
		t.Errorf("%d descriptors are still watched", len(p.watched))
	}
}

func TestWhatHappenedBeforeAnotherGotTheNumberIsForgotten(t *testing.T) {
	p := start(t)
	a, _ := pair(t)
	p.must(t, 0, 0, unix.PollFd{Fd: int32(a), Events: unix.POLLIN})
	late := unix.EpollEvent{Events: unix.EPOLLHUP, Fd: int32(a), Pad: p.watched[a].serial}
	p.Forget(a)
	waiting := make(chan int)
	go func() {
		n, _ := p.Poll([]unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}}, 50*time.Millisecond)
		waiting <- n
	}()
	for { // until it waits
		p.mu.Lock()
		if p.watched[a] != nil {
			break
		}
		p.mu.Unlock()
		runtime.Gosched()
	}
	p.dispatch(late)
	p.mu.Unlock()
	if n := <-waiting; n != 0 {
		t.Error("a hangup of another descriptor was noticed")
	}
}

func TestAClosedDescriptorIsAnError(t *testing.T) {
	p := start(t)
	if n, err := p.Poll([]unix.PollFd{{Fd: 1 << 20, Events: unix.POLLIN}}, -1); n != 0 || err != unix.EBADF {
		t.Error(n, err)
	}
}

func TestAFileIsAlwaysReady(t *testing.T) {
	p := start(t)
	fd, err := unix.Open("poller_test.go", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	p.must(t, 1, -1, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
}

func TestManyGoroutinesWaitWithoutAThreadEach(t *testing.T) {
	p := start(t)
	const many = 200
	var done sync.WaitGroup
	var ends [many][2]int
	for i := range ends {
		ends[i][0], ends[i][1] = pair(t)
	}
	for i := range ends {
		done.Go(func() {
			for range 20 {
				p.must(t, 1, enough, unix.PollFd{Fd: int32(ends[i][0]), Events: unix.POLLIN})
				take(t, ends[i][0])
				put(t, ends[(i+1)%many][1])
			}
		})
	}
	for start := time.Now(); p.waiters() < many; time.Sleep(time.Millisecond) {
		if time.Since(start) > enough {
			t.Fatalf("%d wait", p.waiters())
		}
	}
	threads, _ := runtime.ThreadCreateProfile(nil)
	for i := range ends {
		put(t, ends[i][1])
	}
	done.Wait()
	if threads > many/2 { // some are there for what is no waiting
		t.Errorf("%d threads", threads)
	}
}

func (p *Poller) waiters() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.watched {
		n += len(d.waiting)
	}
	return n
}

// What cannot be watched again must not be waited for without end.
func TestAWaiterHearsThatItsDescriptorCannotBeWatchedAgain(t *testing.T) {
	p := start(t)
	a, _ := pair(t)
	heard := make(chan error)
	go func() {
		_, err := p.Poll([]unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}}, enough)
		heard <- err
	}()
	for waiting := false; !waiting; runtime.Gosched() {
		p.mu.Lock()
		d := p.watched[a]
		waiting = d != nil && len(d.waiting) == 1
		if waiting {
			_ = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, a, nil)
			p.happened(d, unix.POLLOUT)
		}
		p.mu.Unlock()
	}
	if err := <-heard; err != unix.ENOENT {
		t.Errorf("heard %v", err)
	}
}

// Who has been told of something may take a while to be scheduled. Another one
// that only looks after the same descriptor must not have it reported again and
// again until then.
func TestWhatAWaiterHasBeenToldOfIsNotReportedAgain(t *testing.T) {
	p := start(t)
	a, b := pair(t)
	told := &waiter{fds: []unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}}, wake: make(chan struct{}, 1)}
	looks := &waiter{fds: []unix.PollFd{{Fd: int32(a)}}, wake: make(chan struct{}, 1)}
	for _, w := range []*waiter{told, looks} {
		if err := p.add(w); err != nil {
			t.Fatal(err)
		}
	}
	put(t, b)
	<-told.wake
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.watched[a]; !d.armed || d.events&unix.POLLIN != 0 {
		t.Errorf("armed %v for %x", d.armed, d.events)
	}
}

// A process that was stopped for longer than the limit wakes to a timer that is
// over and to data that has come. The timer wins most of these races.
func TestWhatIsReadyAtTheLimitIsFound(t *testing.T) {
	p := start(t)
	a, b := pair(t)
	put(t, b)
	for _, limit := range []time.Duration{0, time.Nanosecond, time.Microsecond} {
		for range 1000 {
			p.must(t, 1, limit, unix.PollFd{Fd: int32(a), Events: unix.POLLIN})
		}
	}
}

func TestCloseEndsAllWaitingAndLeavesNoDescriptor(t *testing.T) {
	a, _ := pair(t)
	var heard sync.WaitGroup
	p := start(t)
	for range 10 {
		heard.Go(func() {
			n, err := p.Poll([]unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}}, -1)
			if n != 0 || err != ErrClosed {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	for p.waiters() < 10 {
		runtime.Gosched()
	}
	p.Close()
	heard.Wait()
	for _, fd := range []int{p.epoll, p.bell} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
			t.Errorf("descriptor %d: %v", fd, err)
		}
	}
	if n, err := p.Poll([]unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}}, -1); n != 0 || err != ErrClosed {
		t.Errorf("%d, %v", n, err)
	}
	p.Forget(a)
	p.Close()
}

func TestWaitersHearWhenTheKernelFails(t *testing.T) {
	p := start(t)
	a, _ := pair(t)
	heard := make(chan error)
	go func() {
		_, err := p.Poll([]unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}}, -1)
		heard <- err
	}()
	for p.waiters() < 1 {
		runtime.Gosched()
	}
	p.mu.Lock()
	p.fail(unix.ENOMEM)
	p.mu.Unlock()
	if err := <-heard; err != unix.ENOMEM {
		t.Errorf("heard %v", err)
	}
	if _, err := p.Poll([]unix.PollFd{{Fd: int32(a), Events: unix.POLLIN}}, -1); err != unix.ENOMEM {
		t.Errorf("said %v", err)
	}
}
