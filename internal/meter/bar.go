package meter

import (
	"fmt"
	"strings"
)

// minInside is the least that is worth drawing between the brackets of a bar.
const minInside = 4

// minBar is the width of the shortest bar.
func minBar(st State) int { return len("[]") + minInside + len(percentage(st)) }

// bar draws a bar of a width: "[=====>      ]  42%", and without a total one that
// moves as data does, "[   <=>      ]".
func bar(st State, width int) string {
	percent := percentage(st)
	inside := width - len("[]") - len(percent)
	if st.Total <= 0 {
		return "[" + wanderer(st.swing(), inside) + "]"
	}
	return "[" + arrow(st.Percent(), inside) + "]" + percent
}

// percentage is what stands behind a bar: "  42%".
func percentage(st State) string {
	if st.Total <= 0 {
		return ""
	}
	return fmt.Sprintf(" %3d%%", st.Percent())
}

// arrow is as long as the share that has arrived, but at least its head. It has
// no head beyond 100 percent.
func arrow(percent int64, inside int) string {
	if percent > 100 {
		return strings.Repeat("=", inside)
	}
	shaft := max(inside*int(percent)/100-1, 0)
	return strings.Repeat("=", shaft) + ">" + strings.Repeat(" ", inside-shaft-1)
}

// wanderer stands at a share of its way.
func wanderer(percent, inside int) string {
	const body = "<=>"
	way := inside - len(body)
	at := way * percent / 100
	return strings.Repeat(" ", at) + body + strings.Repeat(" ", way-at)
}
