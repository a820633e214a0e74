package meter

import (
	"fmt"
	"time"
)

// clock shows a length of time as pv does, in whole seconds rounded down:
// "0:00:05", and with days "1:05:07:36".
func clock(d time.Duration) string {
	return clockOf(int64(max(d, 0) / time.Second))
}

func clockOf(seconds int64) string {
	minutes, hours := seconds/60, seconds/3600
	if hours < 24 {
		return fmt.Sprintf("%d:%02d:%02d", hours, minutes%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d:%02d:%02d", hours/24, hours%24, minutes%60, seconds%60)
}

// blankETA stands where a time left was, so that the bar keeps its length in the
// last line.
const blankETA = "           "

// eta is the time left.
func eta(st State) string {
	switch {
	case st.Done:
		return blankETA
	case st.Left < 0:
		return "ETA -:--:--"
	}
	return "ETA " + clock(st.Left)
}

// finish is the time of the end, with the date if it is more than six hours
// away (pv(1), --fineta).
func finish(st State) string {
	switch {
	case st.Left < 0:
		return "FIN --:--:--"
	case st.Left > 6*time.Hour:
		return "FIN " + st.Finish.Format(time.DateTime)
	}
	return "FIN " + st.Finish.Format(time.TimeOnly)
}
