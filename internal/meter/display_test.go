package meter

import (
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A handClock is a clock that stands still.
type handClock struct{ at time.Time }

func (c *handClock) now() time.Time { return c.at }

func (c *handClock) advance(d time.Duration) { c.at = c.at.Add(d) }

// A scene is a display under a hand clock, and what it draws.
type scene struct {
	*Display
	clock *handClock
	rows  []string
}

// newScene returns a display that draws when it is told to.
func newScene(t *testing.T, o Options) *scene {
	t.Helper()
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	s := &scene{clock: &handClock{noon}}
	s.Display = newDisplay(o, func(Frame) []string { return s.rows }, terminalOn(o.FD), s.clock.now)
	go s.follow(nil, func() {})
	t.Cleanup(s.Stop)
	return s
}

// tick draws rows a second later.
func (s *scene) tick(rows ...string) {
	s.clock.advance(time.Second)
	s.rows = rows
	s.update()
}

func TestEachUpdateRewritesTheLine(t *testing.T) {
	p := newPTY(t, 20)
	s := newScene(t, Options{FD: p.fd})
	s.tick("one")
	p.shows(t, "\rone\x1b[K")
	s.tick("two")
	p.shows(t, "\rtwo\x1b[K")
	s.Stop()
	p.shows(t, "\rtwo\x1b[K\n")
}

// Rows that scroll out of the window cannot be reached any more, and would be
// repeated with each drawing.
func TestMoreRowsThanTheWindowHasAreCounted(t *testing.T) {
	p := newPTY(t, 20)
	p.resizeTo(t, 20, 3)
	s := newScene(t, Options{FD: p.fd})
	s.tick("1", "2", "3")
	p.shows(t, "\r1\x1b[K\n\r2\x1b[K\n\r3\x1b[K")
	s.tick("1", "2", "3", "4", "5")
	p.shows(t, "\x1b[2A\r1\x1b[K\n\r2\x1b[K\n\r... and 3 more\x1b[K")
	p.resizeTo(t, 20, 1)
	s.tick("1", "2", "3", "4", "5")
	p.shows(t, "\r\x1b[2A\x1b[J\r... and 5 more\x1b[K")
	s.Stop() // when nothing will be drawn over them, they all stay
	p.shows(t, "\r1\x1b[K\n\r2\x1b[K\n\r3\x1b[K\n\r4\x1b[K\n\r5\x1b[K\n")
}

func TestTheHeightMayBeGiven(t *testing.T) {
	p := newPTY(t, 20)
	s := newScene(t, Options{FD: p.fd, Height: 2})
	s.tick("1", "2", "3")
	p.shows(t, "\r1\x1b[K\n\r... and 2 more\x1b[K")
	s.Stop()
}

func TestTheLineFollowsTheMeterAndTheWindow(t *testing.T) {
	p := newPTY(t, 60)
	clock := &handClock{noon}
	m := newMeter(10000, noon, false, nil)
	d := newDisplay(Options{FD: p.fd, Interval: time.Second}, Row(m, Style{Fields: Default}), terminalOn(p.fd), clock.now)
	go d.follow(nil, func() {})
	m.Add(1000)
	clock.advance(time.Second)
	d.update()
	p.shows(t, "\r1000  B 0:00:01 [1000  B/s] [>            ]  10% ETA 0:00:09")
	p.resize(t, 20)
	m.Add(3000)
	clock.advance(time.Second)
	d.update()
	p.shows(t, "\r40% ETA 0:00:03\x1b[K")
	p.resize(t, 51)
	m.Add(6000)
	clock.advance(3 * time.Second / 2)
	d.Stop()
	p.shows(t, "\r9.77KiB 0:00:03 [2.79KiB/s] [===>] 100%\x1b[K\n")
}

func TestStopEndsTheLineExactlyOnce(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd})
	s.tick("full " + strings.Repeat("-", 75))
	p.all(t)
	s.Stop()
	s.Stop()
	p.shows(t, "\rfull "+strings.Repeat("-", 75)+"\n")
}

func TestStopShowsTheLastStateOfAShortCopy(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd})
	s.rows = []string{"done"}
	s.Stop()
	p.shows(t, "\rdone\x1b[K\n")
}

func TestStopTakesTheRowsAwayIfAsked(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd, Clear: true})
	s.tick("one", "two")
	p.all(t)
	s.Stop()
	p.shows(t, "\r\x1b[1A\x1b[J")
	p = newPTY(t, 80)
	newScene(t, Options{FD: p.fd, Clear: true}).Stop()
	p.shows(t, "")
}

func TestNothingIsDrawnWhileThereAreNoRows(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd})
	s.tick()
	s.Suspend(func() {})
	s.Stop()
	p.shows(t, "")
}

func TestAWaitingMeterDrawsNothingBeforeItsFirstByte(t *testing.T) {
	m := newMeter(0, time.Time{}, true, func() time.Time { return noon })
	row := Row(m, Style{Fields: Count | Elapsed})
	if rows := row(Frame{Now: after(5), Width: 80}); rows != nil {
		t.Errorf("got %q", rows)
	}
	m.Add(10)
	if rows := row(Frame{Now: after(5), Width: 80}); len(rows) != 1 || rows[0] != "10.0  B 0:00:05" {
		t.Errorf("got %q", rows)
	}
}

func TestNothingIsDrawnBeforeTheDelay(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd, Delay: 5 * time.Second})
	s.rows = []string{"early"}
	s.clock.advance(5*time.Second - 1)
	s.Stop()
	p.shows(t, "")
}

func TestAMessageStandsAboveTheRows(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd})
	say := func() { must(unix.Write(p.fd, []byte("zcp: a message\n")))(t) }
	s.Suspend(say)
	p.shows(t, "zcp: a message\n") // nothing was drawn yet, and is not now
	s.tick("file", "tree")
	p.shows(t, "\rfile\x1b[K\n\rtree\x1b[K")
	s.Suspend(say)
	p.shows(t, "\r\x1b[1A\x1b[Jzcp: a message\n\rfile\x1b[K\n\rtree\x1b[K")
	s.Stop()
	p.shows(t, "\x1b[1A\rfile\x1b[K\n\rtree\x1b[K\n")
	s.Suspend(say)
	p.shows(t, "zcp: a message\n")
}

func TestRowsAreNotReachedForAfterAStop(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd})
	s.tick("file", "tree")
	p.all(t)
	s.clock.advance(time.Minute) // ^Z, and fg
	s.tick("file", "tree")
	p.shows(t, "\rfile\x1b[K\n\rtree\x1b[K")
	s.clock.advance(time.Minute)
	s.Suspend(func() {})
	p.shows(t, "\r\x1b[J\rfile\x1b[K\n\rtree\x1b[K")
}

func TestADumbTerminalGetsNoEscapeSequences(t *testing.T) {
	p := newPTY(t, 80)
	t.Setenv("TERM", "dumb")
	s := newScene(t, Options{FD: p.fd})
	s.tick("file", "tree: 100")
	s.tick("file", "tree: 7")
	s.Stop()
	p.shows(t, "tree: 100\rtree: 7  \rtree: 7  \r\n")
}

func TestTheWidthOfAWindowMayBeGivenOrUnknown(t *testing.T) {
	p := newPTY(t, 0)
	var width int
	show := func(f Frame) []string { width = f.Width; return nil }
	d := newDisplay(Options{FD: p.fd}, show, terminalOn(p.fd), time.Now)
	if d.update(); width != 80 {
		t.Errorf("width %d of a terminal that does not know it", width)
	}
	p.resize(t, 33)
	if d.update(); width != 33 {
		t.Errorf("width %d, want 33", width)
	}
	d = newDisplay(Options{FD: p.fd, Width: 20}, show, terminalOn(p.fd), time.Now)
	if d.update(); width != 20 {
		t.Errorf("width %d, want the one that was given", width)
	}
}

func TestWhatIsNoTerminalIsDrawnOnOnlyByForce(t *testing.T) {
	r, w := newPipe(t)
	fd := int(w.Fd())
	if d := Start(Options{FD: fd}, nil); d != nil {
		t.Error("a display on a pipe")
	}
	if d := Start(Options{FD: -1}, nil); d != nil {
		t.Error("a display on nothing")
	}
	s := newScene(t, Options{FD: fd, Force: true})
	s.tick("one line")
	s.tick("less")
	s.Stop()
	w.Close()
	if got, want := readAll(t, r), "one line\rless    \rless    \r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNumbersAreLinesOnAnyDescriptor(t *testing.T) {
	r, w := newPipe(t)
	m := newMeter(200, noon, false, nil)
	clock := &handClock{noon}
	o := Options{FD: int(w.Fd()), Scroll: true, Interval: time.Second}
	d := newDisplay(o, Numbers(m, Style{}), terminalOn(o.FD), clock.now)
	go d.follow(nil, func() {})
	for range 2 {
		m.Add(50)
		clock.advance(time.Second)
		d.update()
	}
	d.Suspend(func() { must(w.WriteString("message\n"))(t) })
	m.Add(100)
	d.Stop()
	w.Close()
	if got, want := readAll(t, r), "25\n50\nmessage\n100\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestADisplayThatIsOffCanBeUsed(t *testing.T) {
	var d *Display
	called := 0
	d.Suspend(func() { called++ })
	d.Stop()
	if called != 1 {
		t.Errorf("called %d times", called)
	}
}

func TestATerminalThatIsGoneIsNoTrouble(t *testing.T) {
	p := newPTY(t, 80)
	s := newScene(t, Options{FD: p.fd})
	s.tick("one", "two")
	p.master.Close()
	s.tick("one", "two") // EIO
	called := false
	s.Suspend(func() { called = true })
	if s.Stop(); !called {
		t.Error("the message was lost")
	}
}

func TestADisplayDrawsOnItsOwn(t *testing.T) {
	p := newPTY(t, 80)
	d := Start(Options{FD: p.fd, Interval: time.Millisecond, Delay: 1}, func(f Frame) []string {
		if f.Last {
			return []string{"last"}
		}
		return []string{"row"}
	})
	for range 5 { // the goroutine of this test does nothing for it
		p.expect(t, "\rrow\x1b[K")
	}
	shown := make(chan string)
	go func() { shown <- p.until(t, "\rend\r\n") }() // a terminal that is full would hold Stop up
	d.Stop()
	must(unix.Write(p.fd, []byte("\rend\n")))(t)
	if got := <-shown; !strings.HasSuffix(got, "\rlast\x1b[K\r\n") || strings.Count(got, "last") != 1 {
		t.Errorf("got %q at the end", got)
	}
}

func TestTheDelayIsForTheFirstDrawingOnly(t *testing.T) {
	p := newPTY(t, 80)
	s := &scene{clock: &handClock{noon}, rows: []string{"row"}}
	s.Display = newDisplay(Options{FD: p.fd}, func(Frame) []string { return s.rows }, terminalOn(p.fd), s.clock.now)
	ticks, steady := make(chan time.Time), 0
	go s.follow(ticks, func() { steady++ })
	for range 3 {
		ticks <- noon
	}
	if s.Stop(); steady != 1 {
		t.Errorf("the interval was set %d times", steady)
	}
	p.shows(t, strings.Repeat("\rrow\x1b[K", 4)+"\n")
}

func TestMessagesFromManyGoroutinesStayWhole(t *testing.T) {
	p := newPTY(t, 80)
	d := Start(Options{FD: p.fd, Interval: 10 * time.Microsecond}, func(Frame) []string { return []string{"row"} })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				d.Suspend(func() { _, _ = unix.Write(p.fd, []byte("message\n")) })
			}
		})
	}
	shown := make(chan string)
	go func() { shown <- p.until(t, "\rend\r\n") }()
	all.Wait()
	d.Stop()
	must(unix.Write(p.fd, []byte("\rend\n")))(t)
	w := newWindow(80)
	w.write([]byte(strings.ReplaceAll(<-shown, "\r\n", "\n")))
	want := strings.Repeat("message\n", 40) + "row"
	if got := strings.Join(w.text(), "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
}
