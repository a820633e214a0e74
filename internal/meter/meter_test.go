package meter

import (
	"math"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// meterAt returns a meter that began at noon, and its clock.
func meterAt(total int64) *Meter {
	return newMeter(total, noon, false, func() time.Time { panic("a meter must not look at the clock") })
}

func after(seconds float64) time.Time {
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

// run adds so much at once before each of the seconds, and returns the last
// state.
func run(m *Meter, from, to int, each int64) (st State) {
	for s := from; s <= to; s++ {
		m.Add(each)
		st = m.State(after(float64(s)))
	}
	return st
}

func near(got, want float64) bool { return math.Abs(got-want) <= math.Abs(want)*1e-9 }

func TestASteadyFlowHasOneRateAndAnExactTimeLeft(t *testing.T) {
	m := meterAt(100_000)
	st := run(m, 1, 40, 1000)
	if !near(st.Rate, 1000) || !near(st.Average, 1000) {
		t.Errorf("rates %g and %g, want 1000", st.Rate, st.Average)
	}
	if st.Left != time.Minute || !st.Finish.Equal(after(100)) {
		t.Errorf("%v left, to the end at %v", st.Left, st.Finish)
	}
	if st.Count != 40_000 || st.Total != 100_000 || st.Elapsed != 40*time.Second || st.Percent() != 40 || st.Fraction() != 0.4 {
		t.Errorf("%+v, %d%%, %g", st, st.Percent(), st.Fraction())
	}
}

func TestTheFirstLookMeasuresFromTheBeginning(t *testing.T) {
	m := meterAt(1000)
	m.Add(100)
	if st := m.State(after(0.2)); !near(st.Rate, 500) || !near(st.Average, 500) || st.Left != 1800*time.Millisecond {
		t.Errorf("%+v", st)
	}
}

func TestNoRateIsKnownWhenNoTimeHasPassed(t *testing.T) {
	m := meterAt(1000)
	m.Add(100)
	for _, at := range []float64{0, -5} {
		if st := m.State(after(at)); st.Rate != 0 || st.Average != 0 || st.Left != Unknown || st.Elapsed != 0 {
			t.Errorf("%g: %+v", at, st)
		}
	}
}

func TestTheCurrentRateLooksBackTwoSeconds(t *testing.T) {
	m := meterAt(0)
	run(m, 1, 10, 1000)
	for second, want := range []float64{2500, 4000, 4000} {
		if st := run(m, 11+second, 11+second, 4000); !near(st.Rate, want) {
			t.Errorf("second %d: %g, want %g", 11+second, st.Rate, want)
		}
	}
}

func TestAStallShowsAsNoRateAndThenNoEnd(t *testing.T) {
	m := meterAt(100_000)
	run(m, 1, 20, 1000)
	if st := run(m, 21, 23, 0); st.Rate != 0 || st.Left == Unknown || !near(st.Average, 20_000.0/23) {
		t.Errorf("after 3 seconds: %+v", st)
	}
	if st := run(m, 24, 60, 0); st.Left != Unknown || !st.Finish.IsZero() {
		t.Errorf("after 40 seconds: %+v", st)
	}
}

func TestTheTimeLeftForgetsTheSpeedOfTheBeginning(t *testing.T) {
	m := meterAt(1_000_000)
	run(m, 1, 5, 100_000) // into memory
	if st := run(m, 6, 40, 1000); st.Left != 465*time.Second {
		t.Errorf("%v left, want %v", st.Left, 465*time.Second)
	}
}

func TestManyLooksASecondDoNotShortenTheWindow(t *testing.T) {
	m := meterAt(0)
	var st State
	for tick := 1; tick <= 1000; tick++ { // 10 seconds; all comes in one chunk a second
		if tick%100 == 0 {
			m.Add(100)
		}
		if st = m.State(after(float64(tick) / 100)); tick > 300 && (st.Rate < 75 || st.Rate > 150) {
			t.Fatalf("tick %d: %g, want about 100", tick, st.Rate)
		}
	}
}

func TestRareLooksMeasureFromTheOneBefore(t *testing.T) {
	m := meterAt(0)
	m.Add(1)
	m.State(after(60))
	m.Add(6000)
	if st := m.State(after(120)); !near(st.Rate, 100) {
		t.Errorf("%g, want 100", st.Rate)
	}
}

func TestATotalMayGrowAndMayBeWrong(t *testing.T) {
	m := meterAt(-1)
	if st := run(m, 1, 1, 1000); st.Total != 0 || st.Left != Unknown || st.Percent() != 0 || st.Fraction() != 0 {
		t.Errorf("without a total: %+v", st)
	}
	m.AddTotal(3000)
	m.AddTotal(1000)
	if st := run(m, 2, 2, 1000); st.Total != 4000 || st.Left != 2*time.Second || st.Percent() != 50 {
		t.Errorf("with a total: %+v", st)
	}
	if st := run(m, 3, 6, 1000); st.Left != 0 || st.Percent() != 150 || st.Fraction() != 1.5 {
		t.Errorf("beyond it: %+v", st)
	}
}

func TestAnEndFarAwayIsNoEnd(t *testing.T) {
	for _, c := range []struct {
		rest int64
		rate float64
		want time.Duration
	}{
		{1000, 10, 100 * time.Second},
		{0, 0, 0},
		{-5, 10, 0},
		{1, 0, Unknown},
		{math.MaxInt64, 1, Unknown},
		{86399999, 1, 86399999 * time.Second},
		{86400000, 1, Unknown},
	} {
		if got := timeLeft(c.rest, c.rate); got != c.want {
			t.Errorf("%d at %g: got %v, want %v", c.rest, c.rate, got, c.want)
		}
	}
}

func TestPercentagesAreRoundedDownAndNeverOverflow(t *testing.T) {
	for _, c := range []struct{ count, total, want int64 }{
		{29, 100, 29}, {999, 1000, 99}, {1000, 1000, 100}, {0, 1000, 0}, {5, 0, 0}, {-5, 10, 0},
		{math.MaxInt64, math.MaxInt64, 100}, {math.MaxInt64 - 1, math.MaxInt64, 99},
		{math.MaxInt64, 1, maxPercent}, {math.MaxInt64, 100, maxPercent},
	} {
		if got := (State{Count: c.count, Total: c.total}).Percent(); got != c.want {
			t.Errorf("%d of %d: got %d, want %d", c.count, c.total, got, c.want)
		}
	}
}

func TestTheBeatFollowsTheData(t *testing.T) {
	m := meterAt(0)
	if st := run(m, 1, 3, 0); st.Beat != 0 {
		t.Errorf("%d without data", st.Beat)
	}
	if st := run(m, 4, 6, 1); st.Beat != 3 {
		t.Errorf("%d after data came three times", st.Beat)
	}
	if st := run(m, 7, 9, 0); st.Beat != 3 {
		t.Errorf("%d after data stopped", st.Beat)
	}
}

func TestTheTimeOfAWaitingMeterRunsFromTheFirstByte(t *testing.T) {
	now := after(60)
	m := newMeter(1000, time.Time{}, true, func() time.Time { return now })
	m.Add(0)
	if st := m.State(after(30)); !st.Waiting || st.Elapsed != 0 || st.Total != 1000 || st.Left != Unknown {
		t.Errorf("before: %+v", st)
	}
	m.Add(100)
	now = after(1000) // not looked at again
	m.Add(100)
	if st := m.State(after(62)); st.Waiting || st.Elapsed != 2*time.Second || !near(st.Rate, 100) || st.Left != 8*time.Second {
		t.Errorf("after: %+v", st)
	}
}

func TestCountingIsSafeFromManyGoroutines(t *testing.T) {
	m := NewWaiting(0)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 1000 {
				m.Add(1)
				m.AddTotal(2)
				m.State(time.Now())
			}
		})
	}
	all.Wait()
	if st := m.State(time.Now()); st.Count != 4000 || st.Total != 8000 || st.Waiting {
		t.Errorf("%+v", st)
	}
}

func BenchmarkAdd(b *testing.B) {
	m := New(0)
	for b.Loop() {
		m.Add(1)
	}
}
