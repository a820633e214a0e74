package splice

import "time"

const (
	// burst is how long a Limiter's source or sink may have been slow and be
	// made good for: what may follow at full speed is what belongs into that
	// time.
	burst = 200 * time.Millisecond
	// beat is how often a limited copy that has enough to do moves something.
	beat = 20 * time.Millisecond
)

// A Limiter holds one copy to a rate. It allows bytes before they are taken
// from the source, and never more than go on to the sink at once, so that what
// is not allowed yet stays where it is. It begins with nothing allowed.
type Limiter struct {
	perSecond float64
	allowed   float64   // bytes that may pass now
	at        time.Time // when that was so; zero before the first copy
}

// NewLimiter returns a limiter to so many bytes per second, which is more than
// 0.
func NewLimiter(perSecond float64) *Limiter { return &Limiter{perSecond: perSecond} }

// admit waits until a beat's worth of bytes, or want if that is less, is
// allowed, and returns how many are: from 1 to want.
func (l *Limiter) admit(k *kernel, want int) int {
	need := min(float64(want), l.during(beat))
	for l.earn(k.now()); l.allowed < need; l.earn(k.now()) {
		k.sleep(nap((need - l.allowed) / l.perSecond))
	}
	return int(min(float64(want), l.allowed))
}

// longestNap is how long is slept at a time: what a slow rate asks for may be
// more than a time.Duration holds.
const longestNap = time.Hour

// nap is how long to sleep of so many seconds, and never nothing.
func nap(seconds float64) time.Duration {
	if seconds >= longestNap.Seconds() {
		return longestNap
	}
	return time.Duration(seconds*float64(time.Second)) + 1
}

// earn allows what belongs into the time that has gone by.
func (l *Limiter) earn(now time.Time) {
	if !l.at.IsZero() {
		l.allowed = min(l.allowed+now.Sub(l.at).Seconds()*l.perSecond, l.during(burst))
	}
	l.at = now
}

// passed takes n bytes from what is allowed. The time that they took to come is
// counted first, so that what was allowed meanwhile adds up to one burst only.
func (l *Limiter) passed(k *kernel, n int64) {
	l.earn(k.now())
	l.allowed -= float64(n)
}

// during is how many bytes belong into a time, at least one.
func (l *Limiter) during(d time.Duration) float64 { return max(1, d.Seconds()*l.perSecond) }
