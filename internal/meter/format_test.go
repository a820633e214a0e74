package meter

import (
	"strings"
	"testing"
)

// pv shows the last 256 bytes at most, however many a format asks for.
func TestAFormatThatAsksForTooMuchGetsWhatThereMayBe(t *testing.T) {
	for text, want := range map[string]int{
		"%200A":                   200,
		"%257A":                   256,
		"%999999999A":             256,
		"%99999999999999999999A":  256,
		"%9999{bar-plain}":        9999,
		"%999999999{bar-plain}":   widestPart,
		"%99999999999999999999L":  widestPart,
		"%99999999999999999999p%": widestPart + 1,
	} {
		f := ParseFormat(text, Look{Bar: barStyles["plain"]})
		if line := f.Line(State{Count: 1, Total: 2}, Seen{}, 80); len(line) != want {
			t.Errorf("%q has %d columns, not %d: %.20q", text, len(line), want, line)
		}
		if strings.HasSuffix(text, "A") && f.LongestTail() != want {
			t.Errorf("%q keeps %d bytes", text, f.LongestTail())
		}
	}
}
