package meter

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Meter counts the bytes, or lines, that arrived. All methods may be called
// from any goroutine.
type Meter struct {
	count atomic.Int64
	total atomic.Int64
	begin atomic.Pointer[time.Time] // nil until the first byte if waits

	waits bool
	base  int64 // what there was in the beginning, and no part of the rates
	now   func() time.Time

	mu   sync.Mutex // held by State only
	past history
	seen int64 // the count of the last State
	beat int

	exact *exact // as pv measures; nil otherwise
}

// New returns a meter whose time runs from now. A total of 0 or less is one
// that nobody knows.
func New(total int64) *Meter {
	return newMeter(total, time.Now(), false, time.Now)
}

// NewAt returns a meter that has counted so much already, at a time that nobody
// knows.
func NewAt(count, total int64) *Meter {
	m := New(total)
	m.base = count
	m.count.Store(count)
	return m
}

// NewWaiting returns a meter whose time runs from the first byte, however long
// that takes to come.
func NewWaiting(total int64) *Meter {
	return newMeter(total, time.Time{}, true, time.Now)
}

func newMeter(total int64, begin time.Time, waits bool, now func() time.Time) *Meter {
	m := &Meter{waits: waits, now: now}
	m.total.Store(max(total, 0))
	if !waits {
		m.begin.Store(&begin)
	}
	return m
}

// Add counts n more. It is one atomic addition.
func (m *Meter) Add(n int64) {
	if m.count.Add(n) == n && m.waits && n > 0 {
		begin := m.now()
		m.begin.Store(&begin)
	}
}

// Count is how many were counted.
func (m *Meter) Count() int64 { return m.count.Load() }

// AddTotal increases the total: another file was found.
func (m *Meter) AddTotal(n int64) { m.total.Add(n) }

// Total is what there will be in the end; 0 if nobody knows.
func (m *Meter) Total() int64 { return m.total.Load() }

// Elapsed is how long the time of a meter runs at a moment.
func (m *Meter) Elapsed(at time.Time) time.Duration {
	if begin := m.begin.Load(); begin != nil {
		return max(at.Sub(*begin), 0)
	}
	return 0
}

// SetTotal says what there will be in the end; 0 if nobody knows.
func (m *Meter) SetTotal(n int64) { m.total.Store(max(n, 0)) }

// Start has the time run from another moment than that of the meter's making.
func (m *Meter) Start(at time.Time) { m.begin.Store(&at) }

// State returns the progress at a given time. Rates are computed from earlier calls, so
// it has to be called regularly, as a Display does.
func (m *Meter) State(at time.Time) State {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := State{Count: m.count.Load(), Total: m.total.Load(), Left: Unknown, Now: at}
	begin := m.begin.Load()
	if begin == nil {
		st.Waiting = true
		return st
	}
	st.Elapsed = max(at.Sub(*begin), 0)
	m.measure(&st)
	st.Beat = m.moved(st.Count)
	if m.exact != nil {
		m.exact.measure(m, &st)
	}
	if st.Left != Unknown {
		st.Finish = at.Add(st.Left)
	}
	return st
}

// measure sets the rates and the values computed from them.
func (m *Meter) measure(st *State) {
	here := sample{at: st.Elapsed, count: st.Count - m.base}
	st.Rate = here.rateSince(m.past.oldest(here.at, rateWindow))
	st.Recent = here.rateSince(m.past.oldest(here.at, m.window()))
	st.Average = here.rateSince(sample{})
	if st.Total > 0 {
		st.Left = timeLeft(st.Total-st.Count, st.Recent)
	}
	m.past.add(here)
}

// moved counts the looks that found something new.
func (m *Meter) moved(count int64) int {
	if count != m.seen {
		m.seen = count
		m.beat++
	}
	return m.beat
}
