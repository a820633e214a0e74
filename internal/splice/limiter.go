package splice

import (
	"sync"
	"time"
)

const (
	// burst is how much unused time a Limiter carries over: after a pause of the
	// source or sink, the bytes of that time may follow at full speed.
	burst = 200 * time.Millisecond
	// beat is the time between two system calls of a limited copy that has
	// enough to do.
	beat = 20 * time.Millisecond
)

// A Limiter limits the rate of one copy. It allows bytes before they are read, so
// that bytes that may not pass yet stay in the source. It begins with nothing
// allowed.
type Limiter struct {
	// Held, if set, is called with true before the copy waits, and with false
	// when it continues.
	Held func(bool)

	bucket   *bucket
	reserved float64 // bytes that admit took from the bucket for what passes next
	free     bool    // admit has found no limit
}

// A bucket is the token bucket of the copies that share a rate.
type bucket struct {
	mu        sync.Mutex
	perSecond float64   // 0 is no limit
	allowed   float64   // bytes that may pass now; below zero they are still to be earned
	at        time.Time // when that was so; zero before the first copy
}

// NewLimiter returns a limiter of perSecond bytes per second; 0 is no limit.
func NewLimiter(perSecond float64) *Limiter {
	return &Limiter{bucket: &bucket{perSecond: perSecond}}
}

// SetRate changes the rate. A copy that waits for its next bytes goes on waiting, at
// most 20 ms at 50 bytes a second and more.
func (l *Limiter) SetRate(perSecond float64) {
	b := l.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	b.perSecond, b.allowed, b.at = perSecond, 0, time.Time{}
}

// limits reports whether there is a limit. A nil Limiter is none.
func (l *Limiter) limits() bool { return l != nil && l.bucket.inBeat() > 0 }

// inBeat is how many bytes belong into a beat, and 0 where there is no limit.
func (b *bucket) inBeat() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.perSecond == 0 {
		return 0
	}
	return b.during(beat)
}

// Share returns a limiter for another copy that shares the rate of l. The copies
// take turns.
func (l *Limiter) Share() *Limiter { return &Limiter{bucket: l.bucket} }

// admit waits until a beat's worth of bytes, or want if that is less, is
// allowed, and returns how many are: from 1 to want.
func (l *Limiter) admit(k *kernel, want int) int {
	b := l.bucket
	need := min(float64(want), b.inBeat())
	if l.free = need == 0; l.free {
		l.reserved = 0
		return want
	}
	if wait := b.take(k.now(), need-l.reserved); wait > 0 { // what did not pass at the last time is still reserved
		if l.Held != nil {
			l.Held(true)
			defer l.Held(false)
		}
		for end := k.now().Add(wait); wait > 0; wait = end.Sub(k.now()) {
			k.sleep(min(wait, longestNap))
		}
	}
	l.reserved = need
	l.reserved += b.takeSome(k.now(), float64(want)-need)
	return int(l.reserved)
}

// Admit waits until some of want bytes may pass, and returns how many: for a copy
// that is made outside of this package. Passed has to follow.
func (l *Limiter) Admit(want int) int { return l.admit(&host, want) }

// Passed counts n of the bytes that Admit has allowed, and gives the others back.
func (l *Limiter) Passed(n int) { l.passed(&host, int64(n)) }

// longestNap is the longest single sleep. longest is the longest wait for bytes: a
// slower rate would overflow a time.Duration.
const (
	longestNap = time.Hour
	longest    = 100 * 365 * 24 * time.Hour
)

// take takes n bytes, or gives back -n, and returns how long it takes until they are earned.
func (b *bucket) take(now time.Time, n float64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.earn(now)
	b.allowed -= n
	if b.allowed >= 0 || n <= 0 || b.perSecond == 0 {
		return 0
	}
	return time.Duration(min(-b.allowed/b.perSecond*float64(time.Second), float64(longest))) + 1
}

// takeSome takes up to n bytes of those that are allowed now.
func (b *bucket) takeSome(now time.Time, n float64) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.earn(now)
	n = min(n, max(0, b.allowed))
	b.allowed -= n
	return n
}

// earn allows what belongs into the time that has gone by. mu is held.
func (b *bucket) earn(now time.Time) {
	if !b.at.IsZero() {
		b.allowed = min(b.allowed+now.Sub(b.at).Seconds()*b.perSecond, b.during(burst))
	}
	b.at = now
}

// passed counts n bytes of those that admit has allowed, and gives the others
// back. The time that they took to come is counted first, so that what was
// allowed meanwhile adds up to one burst only.
func (l *Limiter) passed(k *kernel, n int64) {
	if l.free {
		return
	}
	b := l.bucket
	now := k.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.earn(now)
	b.allowed = min(b.allowed+l.reserved, b.during(burst)) - float64(n)
	l.reserved = 0
}

// during is how many bytes belong into a time, at least one.
func (b *bucket) during(d time.Duration) float64 { return max(1, d.Seconds()*b.perSecond) }
