package meter

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzFormat takes a format as pv's -F has it, and shows with it any state in a
// window of any width. The longest part of a line is a bar of blocks.
func FuzzFormat(f *testing.F) {
	for _, text := range []string{
		"", "%", "%%", "%5", "%{", "%{progress", "%{nope}", "%z", "100% sure%",
		"%b %t %r %a %e %I %p", "%N %{bytes} %{timer} %{rate} %{average-rate} %{eta} %{fineta} %{name}",
		"%20p%30L%16A", "%{bar-plain}%{bar-block}%{bar-granular}%{bar-shaded}", "%{sgr:bold,fg-red,bg-7,300,x}%b%{sgr:reset}",
		"%0A%1A%257A%999999999A", "%99999999999999999999p%999999999L%999999999{bar-shaded}", "%{progress-amount-only}%{progress-bar-only}%{progress-conemu}%{ratio}%T",
	} {
		f.Add(text, int64(700), int64(1000), 35.5, int64(12), 80, uint8(0))
		f.Add(text, int64(1)<<62, int64(0), 1e300, int64(-1), 1, uint8(0xff))
	}
	f.Fuzz(func(t *testing.T, text string, count, total int64, rate float64, seconds int64, width int, look uint8) {
		width %= widestPart
		format := ParseFormat(text, drawnLook(look))
		state := State{
			Count: max(count, 0), Total: max(total, 0), Rate: rate, Recent: rate, Average: rate, Highest: rate * 2,
			Elapsed: time.Duration(seconds), Now: time.Unix(seconds, 0), Beat: int(count), Done: look&0x80 != 0,
		}
		seen := Seen{Tail: []byte(text)[:min(len(text), format.LongestTail())], Line: []byte(text), Buffer: "{  0%}"}
		line := format.Line(state, seen, width)
		if again := ParseFormat(text, drawnLook(look)).Line(state, seen, width); again != line {
			t.Fatalf("%q is shown as %q, then as %q", text, line, again)
		}
		if !strings.Contains(text, "%") && line != text {
			t.Fatalf("%q is shown as %q", text, line)
		}
		if utf8.ValidString(text) && !utf8.ValidString(line) {
			t.Fatalf("%q is shown as %q", text, line)
		}
		if most := len(text) + len(format.parts)*(widestPart*len("█")+1000); len(line) > most {
			t.Fatalf("%q is shown in %d bytes", text, len(line))
		}
	})
}

// drawnLook is the look that a number's bits stand for.
func drawnLook(bits uint8) Look {
	style, _ := ParseBarStyle([]string{"plain", "block", "granular", "shaded"}[bits&3])
	return Look{
		Name: "a name", Named: true, Bar: style,
		Lines: bits&4 != 0, Bits: bits&8 != 0, SI: bits&16 != 0, Gauge: bits&32 != 0, Numeric: bits&64 != 0, Colours: bits&128 != 0,
	}
}
