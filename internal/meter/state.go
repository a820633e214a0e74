package meter

import (
	"math/bits"
	"time"
)

// A State is the progress at one moment.
type State struct {
	Count   int64         // how much has arrived
	Total   int64         // how much there is; 0 if that is unknown
	Elapsed time.Duration // since the beginning
	Rate    float64       // per second, of late
	Recent  float64       // per second, over the last half minute
	Average float64       // per second, from the beginning
	Highest float64       // per second, the highest rate that was seen
	Left    time.Duration // to the end, or Unknown
	Now     time.Time     // when this was known
	Finish  time.Time     // the time of the end, if Left is known
	Beat    int           // grows as data moves
	Waiting bool          // the first byte has not come, and time does not run
	Done    bool          // nothing more will come; set by who knows
}

// Unknown is an unknown time left.
const Unknown time.Duration = -1

// tooLong is a time that is no better than none: 1000 days.
const tooLong = 1000 * 24 * time.Hour

// timeLeft is how long the rest takes.
func timeLeft(rest int64, rate float64) time.Duration {
	switch seconds := float64(rest) / rate; {
	case rest <= 0:
		return 0
	case rate <= 0 || seconds >= tooLong.Seconds():
		return Unknown
	default:
		return time.Duration(seconds * float64(time.Second))
	}
}

// secondsLeft is the time left as pv shows it: at most 999999 days, and 0 where
// nothing can be told.
func (st State) secondsLeft() int64 {
	const day, most = 24 * 60 * 60, 999999
	rest := float64(st.Total - st.Count)
	if rest <= 0 || st.Recent <= 0 {
		return 0
	}
	return int64(min(rest/st.Recent, most*day+day-1))
}

// Fraction is the part that has arrived, more than 1 if the total was wrong, and
// 0 without one.
func (st State) Fraction() float64 {
	if st.Total <= 0 {
		return 0
	}
	return float64(st.Count) / float64(st.Total)
}

// Percent is Fraction in whole percents, rounded down: 100 is everything.
func (st State) Percent() int64 {
	if st.Total <= 0 || st.Count <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(st.Count), 100)
	if high >= uint64(st.Total) { // the quotient needs more than 64 bits
		return maxPercent
	}
	percent, _ := bits.Div64(high, low, uint64(st.Total))
	return int64(min(percent, maxPercent))
}

// maxPercent limits the percentage where the total is wrong.
const maxPercent = 100_000

// swing is where a bar without a total stands: from 0 to 100 and back, by two
// with each update that found something new, as in pv.
func (st State) swing() int {
	at := int(2 * uint(st.Beat) % 200)
	return min(at, 200-at)
}
