package splice

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/rawio"
)

// Copies that share a rate keep it together, and none waits for ever.
func TestCopiesThatShareARateTakeTurns(t *testing.T) {
	const perSecond = 1000
	clock := time.Unix(0, 0)
	k := &kernel{now: func() time.Time { return clock }, sleep: func(d time.Duration) { clock = clock.Add(d) }}
	first := NewLimiter(perSecond)
	limiters := []*Limiter{first, first.Share(), first.Share()}
	var passed [3]int
	begin := clock
	for clock.Sub(begin) < 10*time.Second {
		for i, l := range limiters {
			held := 0
			l.Held = func(on bool) {
				if on {
					held++
				} else {
					held--
				}
			}
			n := l.admit(k, 1<<20)
			if i == 2 {
				n = min(n, 7) // its source has no more at a time
			}
			l.passed(k, int64(n))
			passed[i] += n
			if held != 0 {
				t.Fatal("who was held back is not told that it goes on")
			}
		}
	}
	sum, most := passed[0]+passed[1]+passed[2], int(perSecond*clock.Sub(begin).Seconds())
	if sum > most || sum < most*99/100 {
		t.Errorf("%d bytes passed, %d may", sum, most)
	}
	if passed[0] < most/4 || passed[1] < most/4 || passed[2] == 0 {
		t.Errorf("they got %v", passed)
	}
}

// What was admitted and has not passed counts for the next time.
func TestWhatDidNotPassIsNotPaidForAgain(t *testing.T) {
	clock := time.Unix(0, 0)
	k := &kernel{now: func() time.Time { return clock }, sleep: func(d time.Duration) { clock = clock.Add(d) }}
	l := NewLimiter(1000)
	l.admit(k, 1<<20)
	for range 100 { // the source had nothing
		l.admit(k, 1<<20)
	}
	if waited := clock.Sub(time.Unix(0, 0)); waited > beat+time.Millisecond {
		t.Errorf("it waited for %v", waited)
	}
}

func TestBuffersWithABudgetHoldNoMoreTogether(t *testing.T) {
	budget := NewBudget(3 * smallBlock)
	b := Buffer{Size: 8 << 20, Budget: budget, Fill: 100}
	var stores [2]*store
	held := 0
	for i := range stores {
		s, err := newStore(b)
		if err != nil {
			t.Fatal(err)
		}
		stores[i] = s
		for { // until the next block would have to wait
			s.mu.Lock()
			blk := s.tail(nil, 0)
			s.mu.Unlock()
			if blk == nil {
				break
			}
			n := blk.room()
			s.add(blk, n)
			held += n
		}
	}
	if want := (3 + len(stores)) * smallBlock; held != want { // a block each is free
		t.Errorf("they hold %d bytes, want %d", held, want)
	}
	for _, s := range stores {
		s.close(&system{kernel: &kernel{}})
	}
	if budget.left != 3*smallBlock {
		t.Errorf("%d bytes of the budget are left", budget.left)
	}
}

// Without any budget a buffer holds 64 KiB, and delivers though it was to be
// filled first.
func TestABufferThatGetsNoBudgetDelivers(t *testing.T) {
	var in, out [2]int
	for _, p := range []*[2]int{&in, &out} {
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
	const size = 5 << 20
	go func() {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i >> 8)
		}
		_ = rawio.WriteAll(in[1], data)
		unix.Close(in[1])
	}()
	got := make(chan int, 1)
	go func() {
		n, buf := 0, make([]byte, 64<<10)
		for {
			m, err := unix.Read(out[0], buf)
			if err == unix.EINTR {
				continue
			}
			if m <= 0 {
				break
			}
			for _, c := range buf[:m] {
				if c != byte(n>>8) {
					n = -size
				}
				n++
			}
		}
		got <- n
	}()
	src, err := Describe(in[0])
	if err != nil {
		t.Fatal(err)
	}
	dst, err := Describe(out[1])
	if err != nil {
		t.Fatal(err)
	}
	budget := NewBudget(0)
	c := New()
	defer c.Close()
	r, err := c.CopyBuffered(dst, src, Buffer{Size: 4 << 20, Fill: 100, Budget: budget}, Options{Method: ReadWrite})
	unix.Close(out[1])
	if n := <-got; n != size || r.Delivered != size || err != nil {
		t.Errorf("%d bytes arrived, %d were delivered: %v", n, r.Delivered, err)
	}
	unix.Close(in[0])
	unix.Close(out[0])
}
