package meter

import (
	"fmt"
	"math"
	"time"
)

// An exact measures as pv does: the rate is that since the last State, and
// every such rate counts for the statistics.
type exact struct {
	recent time.Duration // the window of the average
	last   sample
	rate   float64 // the last that was measured
	beat   int

	n               int // rates
	sum, squares    float64
	lowest, highest float64
}

// NewLikePV returns a meter that measures as pv does, with an average over a
// window. It runs from now, or from the first byte if it waits.
func NewLikePV(total int64, window time.Duration, waits bool) *Meter {
	m := New(total)
	if waits {
		m = NewWaiting(total)
	}
	m.exact = &exact{recent: window}
	return m
}

// window is how far the average looks back.
func (m *Meter) window() time.Duration {
	if m.exact != nil {
		return m.exact.recent
	}
	return recentWindow
}

// shortest is the shortest time that a rate is measured over.
const shortest = 10 * time.Millisecond

func (e *exact) measure(m *Meter, st *State) {
	here := sample{at: st.Elapsed, count: st.Count - m.base}
	if here.at-e.last.at >= shortest {
		e.rate = here.rateSince(e.last)
		e.last = here
		e.note(e.rate)
	}
	if e.n == 0 { // too short to count
		e.rate = here.rateSince(sample{})
	}
	st.Rate, st.Highest = e.rate, e.highest
	if e.rate > 0 {
		e.beat++
	}
	st.Beat = e.beat
}

func (e *exact) note(rate float64) {
	if e.n == 0 || rate < e.lowest {
		e.lowest = rate
	}
	e.highest = max(e.highest, rate)
	e.n++
	e.sum += rate
	e.squares += rate * rate
}

// Statistics is the line of pv's --stats at the end, for a meter of NewLikePV.
// The unit is that of the rates, and they are multiplied by scale. A transfer
// that was too short for a rate has that of the whole.
func (m *Meter) Statistics(at time.Time, unit string, scale float64) string {
	st := m.State(at)
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.exact
	if e.n == 0 && st.Elapsed > 0 {
		e.note(st.Average)
	}
	if e.n == 0 {
		return "rate not measured"
	}
	n := float64(e.n)
	mean := e.sum / n
	deviation := math.Sqrt(max(0, e.squares/n-mean*mean))
	return fmt.Sprintf("rate min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f %s", e.lowest*scale, mean*scale, e.highest*scale, deviation*scale, unit)
}
