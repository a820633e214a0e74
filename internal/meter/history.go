package meter

import "time"

const (
	// rateWindow is how far the current rate looks back. Updates come each
	// second, a little early or late: half a second more than two makes it
	// always two of them. That is short enough to show a stall, and long enough
	// not to show single chunks.
	rateWindow = 2500 * time.Millisecond
	// recentWindow is how far the average and the time left look back. A copy to
	// a slow disk begins at the speed of memory; half a minute later that is
	// forgotten. pv has the same window (--average-rate-window).
	recentWindow = 30 * time.Second
	// spacing is the least time between two samples that are kept.
	spacing = 500 * time.Millisecond
	// samples is how many are needed to fill the longest window, and some.
	samples = 64
)

// A sample is how much had arrived at a time after the beginning.
type sample struct {
	at    time.Duration
	count int64
}

// rateSince returns the rate since an earlier sample.
func (s sample) rateSince(earlier sample) float64 {
	if s.at <= earlier.at || s.count <= earlier.count {
		return 0
	}
	return float64(s.count-earlier.count) / (s.at - earlier.at).Seconds()
}

// A history is the latest samples. The zero sample, nothing at the beginning,
// comes before all others.
type history struct {
	ring [samples]sample
	n    int // samples ever kept
}

// add keeps a sample, unless it comes too soon after another.
func (h *history) add(s sample) {
	if s.at-h.back(0).at < spacing {
		return
	}
	h.ring[h.n%samples] = s
	h.n++
}

// back is the latest sample but i.
func (h *history) back(i int) sample {
	if i >= h.n {
		return sample{}
	}
	return h.ring[(h.n-1-i)%samples]
}

// oldest is the oldest sample within a window before now, or the latest if none
// is.
func (h *history) oldest(now, window time.Duration) sample {
	found := h.back(0)
	for i := 1; i <= min(h.n, samples-1) && now-h.back(i).at <= window; i++ {
		found = h.back(i)
	}
	return found
}
