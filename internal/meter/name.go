package meter

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// nameWidth is how wide pv makes a name at least (%N in pv(1)).
const nameWidth = 9

// Shorten shortens a name to the given number of columns by cutting its middle, and
// replaces unprintable characters by "?".
func Shorten(name string, width int) string { return cut(clean(name), width) }

// Columns is how many columns of a terminal a name takes when it is shown.
func Columns(name string) int { return columns(clean(name)) }

// clean makes a name fit to be shown: what is not printable becomes "?", as ls
// does, so that no name can move the cursor.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
}

// columns is how many columns of a terminal a printable text takes, rounded up:
// all that comes after the first wide symbols (U+231A, Unicode's
// EastAsianWidth.txt) counts as wide, and a combining mark as if it stood alone.
// Too many only cost a few blanks; too few would wrap the line.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	const firstJamo, lastJamo, firstSymbol = 0x1100, 0x115F, 0x231A
	if r >= firstSymbol || r >= firstJamo && r <= lastJamo {
		return 2
	}
	return 1
}

// cut shortens a text to a width. It takes from the middle, for names tend to
// differ at their ends.
func cut(text string, width int) string {
	const gap = ".."
	if columns(text) <= width {
		return text
	}
	if width < len("ab..z") {
		return head(text, width)
	}
	keep := width - len(gap)
	return head(text, keep-keep/3) + gap + tail(text, keep/3)
}

// head is the longest beginning that fits.
func head(text string, width int) string {
	for i, r := range text {
		if width -= runeColumns(r); width < 0 {
			return text[:i]
		}
	}
	return text
}

// tail is the longest end that fits.
func tail(text string, width int) string {
	from := len(text)
	for from > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:from])
		if width -= runeColumns(r); width < 0 {
			break
		}
		from -= size
	}
	return text[from:]
}

// padded puts a text at the right of a width.
func padded(text string, width int) string {
	return strings.Repeat(" ", max(width-columns(text), 0)) + text
}
