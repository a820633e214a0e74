package meter

import (
	"strconv"
	"strings"
)

// Fields are the parts of a line.
type Fields uint16

const (
	Count   Fields = 1 << iota // how much has arrived (pv -b)
	Elapsed                    // the time since the beginning (-t)
	Rate                       // the current rate (-r)
	Average                    // the rate of the last half minute (-a)
	Bar                        // a bar, and the percentage (-p)
	ETA                        // the time left (-e)
	Finish                     // the time of the end (-I)
	name                       // of the style

	// Default are the fields that pv shows without options.
	Default = Count | Elapsed | Rate | Bar | ETA
)

// A Style is the look of a line.
type Style struct {
	Fields Fields
	// Name stands in front, with a colon. It may be any string.
	Name string
	// NameWidth is the least width of a name that stands at the right of it, so
	// that the rows of several meters are in line. 0 is pv's 9.
	NameWidth int
	// Lines says that it is lines that are counted, not bytes.
	Lines bool
}

// Numeric shows a state for programs, as pv -n does: the seconds, the count and
// the rate, each if Elapsed, Count or Rate is among the fields, and without the
// latter two the percentage. Without a total that goes up and down as data
// moves.
func (s Style) Numeric(st State) string {
	var texts []string
	if s.Fields&Elapsed != 0 {
		texts = append(texts, decimal(st.Elapsed.Seconds()))
	}
	if s.Fields&Count != 0 {
		texts = append(texts, strconv.FormatInt(st.Count, 10))
	}
	switch {
	case s.Fields&Rate != 0:
		texts = append(texts, decimal(ended(st, st.Rate)))
	case s.Fields&Count != 0:
	case st.Total > 0:
		texts = append(texts, strconv.FormatInt(st.Percent(), 10))
	default:
		texts = append(texts, strconv.Itoa(st.swing()))
	}
	return strings.Join(texts, " ")
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

// text is a field in a line that has room for everything, but for the bar, which
// takes what the others leave. It is "" if there is nothing to tell.
func (s Style) text(f Fields, st State, width int) string {
	switch f {
	case name:
		return s.fullName(width)
	case Count:
		return s.quantity(float64(st.Count))
	case Elapsed:
		return clock(st.Elapsed)
	case Rate:
		return "[" + s.quantity(ended(st, st.Rate)) + "/s]"
	case Average:
		return "(" + s.quantity(ended(st, st.Recent)) + "/s)"
	case ETA:
		return ifTotal(st, eta)
	case Finish:
		return ifTotal(st, finish)
	}
	return ""
}

// short is a field in a line that has not.
func (s Style) short(f Fields, st State, width int) string {
	switch f {
	case name:
		return s.shortName(width)
	case Bar:
		return strings.TrimSpace(percentage(st))
	}
	return strings.TrimRight(s.text(f, st, width), " ")
}

// quantity shows a number of what is counted.
func (s Style) quantity(v float64) string {
	if s.Lines {
		return number(v)
	}
	return amount(v)
}

// ended is a rate, and in the end the rate from the beginning, for what was last
// is then of no interest.
func ended(st State, rate float64) float64 {
	if st.Done {
		return st.Average
	}
	return rate
}

// ifTotal returns a field that needs a known total.
func ifTotal(st State, show func(State) string) string {
	if st.Total <= 0 {
		return ""
	}
	return show(st)
}

// fullName is the name padded as pv pads it, but no wider than a third of the
// line if it is long.
func (s Style) fullName(width int) string {
	if s.Name == "" {
		return ""
	}
	least := s.NameWidth
	if least <= 0 {
		least = nameWidth
	}
	return padded(cut(clean(s.Name), max(least, width/3)), least) + ":"
}

// shortName is the name without padding, a third of the line at most.
func (s Style) shortName(width int) string {
	const least = 4
	if s.Name == "" {
		return ""
	}
	return cut(clean(s.Name), max(least, width/3)) + ":"
}
