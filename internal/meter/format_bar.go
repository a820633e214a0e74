package meter

import (
	"fmt"
	"math"
	"strings"
)

// A BarStyle is the set of characters of a bar.
type BarStyle struct {
	full    string
	partial []string // for a part of a column, the smallest first
	empty   string
	wander  []string // what moves where there is no total
	arrow   bool     // the last column is a head
}

var barStyles = map[string]BarStyle{
	"plain":    {full: "=", empty: " ", wander: []string{"<", "=", ">"}, arrow: true},
	"block":    {full: "█", empty: " ", wander: []string{"◀", "▶"}},
	"granular": {full: "█", partial: []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉"}, empty: " ", wander: []string{"◀", "▶"}},
	"shaded":   {full: "█", partial: []string{"▒", "▓"}, empty: "░", wander: []string{"▒", "▓", "▒"}},
}

// ParseBarStyle finds a style by its name: plain, block, granular or shaded.
func ParseBarStyle(name string) (BarStyle, bool) {
	style, ok := barStyles[name]
	return style, ok
}

// portion is the part of the bar that is full: that of the total, or of the
// highest rate.
func portion(st State) float64 {
	if st.Total > 0 {
		return st.Fraction()
	}
	if st.Highest <= 0 {
		return 0
	}
	return min(ended(st, st.Rate)/st.Highest, 1)
}

// progress is a bar between brackets, with what it shows behind it.
func (f Format) progress(st State, width int) string {
	style := f.Bar
	inside := width - len("[]")
	behind := ""
	switch {
	case st.Total > 0:
		behind = fmt.Sprintf(" %3d%%", st.Percent())
	case f.Gauge:
		behind = "/" + f.share(st)
	case inside < len(style.wander)+1:
		return ""
	default:
		return "[" + style.wanderer(st.swing(), inside) + "]"
	}
	if inside -= len(behind); inside < 0 {
		return ""
	}
	return "[" + style.draw(portion(st), inside) + "]" + behind
}

// bare is a bar and nothing else.
func (f Format) bare(style BarStyle, st State, width int) string {
	switch {
	case width <= 0:
		return ""
	case st.Total > 0 || f.Gauge:
		return style.draw(portion(st), width)
	case width < len(style.wander)+2:
		return ""
	}
	return style.wanderer(st.swing(), width)
}

// draw fills a portion of a bar. An arrow has at least its head, and none
// beyond the whole.
func (b BarStyle) draw(portion float64, width int) string {
	full := int(min(portion, 1) * float64(width))
	switch {
	case width <= 0:
		return ""
	case b.arrow && int(portion*float64(width)) > width:
		return strings.Repeat(b.full, width)
	case b.arrow:
		full = max(full, 1)
		return strings.Repeat(b.full, full-1) + ">" + strings.Repeat(b.empty, width-full)
	}
	text := strings.Repeat(b.full, full)
	rest := width - full
	if steps := len(b.partial) + 1; rest > 0 && steps > 1 {
		_, part := math.Modf(portion * float64(width))
		if step := int(part * float64(steps)); step > 0 {
			text += b.partial[step-1]
			rest--
		}
	}
	return text + strings.Repeat(b.empty, rest)
}

// wanderer stands at a share of its way, in percent.
func (b BarStyle) wanderer(percent, width int) string {
	way := width - len(b.wander)
	at := way * percent / 100
	return strings.Repeat(b.empty, at) + strings.Join(b.wander, "") + strings.Repeat(b.empty, way-at)
}

// conemu tells a terminal how far it is, by OSC 9;4.
func (f Format) conemu(st State) string {
	state, percent := 1, int(math.Round(portion(st)*100))
	if st.Total <= 0 && !f.Gauge {
		state, percent = 3, st.swing()
	}
	return fmt.Sprintf("\x1b]9;4;%d;%d\x1b\\", state, percent)
}

// ConEmuEnd removes the progress that progress-conemu shows.
const ConEmuEnd = "\x1b]9;4;0;0\x1b\\"
