package meter

import (
	"sync"
	"time"
)

// A Frame is one drawing of a display.
type Frame struct {
	Now   time.Time
	Width int  // of the window, in columns
	Last  bool // no other will come
}

// A Source returns the rows to draw, each at most as wide as the frame, or none
// to draw nothing. It must not call the display that calls it.
type Source func(Frame) []string

// Row is the source for one meter. It draws nothing before a waiting meter's
// first byte.
func Row(m *Meter, s Style) Source {
	return rowOf(m, func(st State, width int) string { return s.Line(st, width) })
}

// Numbers is the source for one meter that is read by programs.
func Numbers(m *Meter, s Style) Source {
	return rowOf(m, func(st State, _ int) string { return s.Numeric(st) })
}

func rowOf(m *Meter, show func(State, int) string) Source {
	return func(f Frame) []string {
		st := m.State(f.Now)
		if st.Waiting {
			return nil
		}
		st.Done = f.Last
		return []string{show(st, f.Width)}
	}
}

// Options say where and when a display draws.
type Options struct {
	FD       int                // where to; never closed, its flags never changed
	Interval time.Duration      // from one drawing to the next; 0 is a second
	Delay    time.Duration      // nothing is drawn before that, not even by Stop
	Width    int                // of the window; 0 asks the terminal
	Height   int                // of the window; 0 asks the terminal
	Force    bool               // draw also if FD is not a terminal
	Scroll   bool               // write each row as a line of text, on anything
	Plain    bool               // move the cursor by carriage returns alone
	Stacked  bool               // several rows, with the cursor at the beginning of the first, as pv -d
	Behind   func(Frame) string // what is written behind the rows, for other parts of the terminal
	Clear    bool               // Stop takes the rows away
	// Shared has the display keep clear of those of other processes of the same
	// process group. It draws one row then, and does not go with Clear.
	Shared bool
}

// A Display draws rows again and again until it is stopped. A nil Display is one
// that is off.
type Display struct {
	options Options
	rows    Source
	term    terminal
	now     func() time.Time
	begin   time.Time

	stop    chan struct{} // closed by Stop
	stopped chan struct{} // closed by the goroutine when it ends
	once    sync.Once

	pace chan struct{} // gets something when the interval has changed

	mu     sync.Mutex // of what follows, of options.Interval, and of writing
	screen screen
	drawn  time.Time // when the last drawing was over
}

// Draws reports whether Start will draw anything now.
func (o Options) Draws() bool { return o.Force || o.Scroll || terminalOn(o.FD).real }

// Start draws what rows returns, first after the delay, or else after an
// interval. It returns nil if the descriptor is not a terminal and neither Force
// nor Scroll is set.
func Start(o Options, rows Source) *Display {
	if o.Interval <= 0 {
		o.Interval = time.Second
	}
	if !o.Draws() {
		return nil
	}
	d := newDisplay(o, rows, terminalOn(o.FD), time.Now)
	go d.run()
	return d
}

func newDisplay(o Options, rows Source, term terminal, now func() time.Time) *Display {
	return &Display{
		options: o, rows: rows, term: term, now: now, begin: now(),
		screen: screenFor(o, term),
		pace:   make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// run draws in time.
func (d *Display) run() {
	first := d.options.Delay
	if first <= 0 {
		first = d.options.Interval
	}
	ticker := time.NewTicker(first)
	defer ticker.Stop()
	d.follow(ticker.C, func() { ticker.Reset(d.interval()) })
}

// follow draws at each tick until the display is stopped. It calls steady after
// the first.
func (d *Display) follow(ticks <-chan time.Time, steady func()) {
	defer close(d.stopped)
	for n := 0; ; n++ {
		select {
		case <-d.stop:
			return
		case <-d.pace:
			n = 0
		case <-ticks:
			d.update()
		}
		if n == 0 {
			steady()
		}
	}
}

// SetInterval changes the time from one drawing to the next.
func (d *Display) SetInterval(interval time.Duration) {
	if d == nil || interval <= 0 {
		return
	}
	d.mu.Lock()
	d.options.Interval = interval
	d.mu.Unlock()
	select {
	case d.pace <- struct{}{}:
	default: // it is about to look
	}
}

// SetHeight changes the number of rows that are taken for the window's.
func (d *Display) SetHeight(rows int) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.options.Height = rows
}

func (d *Display) interval() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.options.Interval
}

func (d *Display) update() {
	defer d.alone()()
	d.draw(false)
}

// alone locks mu, and out the displays of other processes that draw beside this
// one. What it returns unlocks.
func (d *Display) alone() (over func()) {
	d.mu.Lock()
	s, beside := d.screen.(*shared)
	if !beside || !s.company.lock() {
		return d.mu.Unlock
	}
	return func() {
		s.company.unlock()
		d.mu.Unlock()
	}
}

// Stop draws the last state, or clears it away, and ends the line. It returns
// when that is done, and nothing is drawn after it. Further calls do nothing.
func (d *Display) Stop() {
	if d == nil {
		return
	}
	d.once.Do(func() {
		close(d.stop)
		<-d.stopped
		defer d.alone()()
		d.finish()
	})
}

// Break ends the display as Stop does, but draws nothing more: the cursor goes
// to a new line if a row was drawn.
func (d *Display) Break() {
	if d == nil {
		return
	}
	d.once.Do(func() {
		close(d.stop)
		<-d.stopped
		defer d.alone()()
		d.write(d.screen.end())
	})
}

// finish leaves the cursor at the beginning of a line. mu is held.
func (d *Display) finish() {
	d.recall()
	switch {
	case d.options.Clear:
		d.write(d.screen.clear())
	case d.now().Sub(d.begin) >= d.options.Delay:
		d.draw(true)
	}
	d.write(d.screen.end())
}

// Suspend takes the rows away, calls f, which may write whole lines on the
// terminal, and draws the rows again. f must not call the display. A display that
// is off or stopped just calls f.
func (d *Display) Suspend(f func()) {
	if d == nil {
		f()
		return
	}
	defer d.alone()()
	d.recall()
	again := d.screen.shown()
	d.write(d.screen.clear())
	f()
	if again {
		d.draw(false)
	}
}

// draw draws, unless the process is in the background. The rows are asked for in
// any case, so that meters are looked at as often as ever. mu is held.
func (d *Display) draw(last bool) {
	window := d.window()
	d.recall()
	frame := Frame{Now: d.now(), Width: window.columns, Last: last}
	rows := d.rows(frame)
	if last {
		window.rows = 0 // all rows stay, though some may scroll away
	}
	text := d.screen.show(rows, window)
	if d.options.Behind != nil && len(rows) > 0 {
		text = append(text, d.options.Behind(frame)...)
	}
	d.write(text)
	d.drawn = d.now()
}

// window is the size to draw for.
func (d *Display) window() size {
	window := d.term.size()
	if d.options.Width > 0 {
		window.columns = d.options.Width
	}
	if d.options.Height > 0 {
		window.rows = d.options.Height
	}
	return window
}

// recall gives the rows on the screen up if more time went by since the last
// drawing than there should be between two: the process may have been stopped
// and continued, and the shell have written in the meantime. mu is held.
func (d *Display) recall() {
	grace := max(d.options.Interval/2, 500*time.Millisecond)
	if d.now().Sub(d.drawn) > d.options.Interval+grace {
		d.screen.lost()
	}
}

// write writes on the terminal, if that is ours now and there is anything to
// write. mu is held.
func (d *Display) write(p []byte) {
	if len(p) > 0 && (d.term.inBackground() || d.term.write(p) != nil) {
		d.screen.lost()
	}
}
