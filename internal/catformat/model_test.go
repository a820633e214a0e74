package catformat_test

import (
	"bytes"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"zeroutils/internal/catformat"
)

// options reads letters as cat does.
func options(letters string) (o catformat.Options) {
	for _, c := range letters {
		switch c {
		case 'A':
			o.ShowNonprinting, o.ShowEnds, o.ShowTabs = true, true, true
		case 'b':
			o.NumberNonblank = true
		case 'e':
			o.ShowNonprinting, o.ShowEnds = true, true
		case 'E':
			o.ShowEnds = true
		case 'n':
			o.Number = true
		case 's':
			o.SqueezeBlank = true
		case 't':
			o.ShowNonprinting, o.ShowTabs = true, true
		case 'T':
			o.ShowTabs = true
		case 'v':
			o.ShowNonprinting = true
		}
	}
	return o
}

// format formats pieces as a program would that reads one after the other.
func format(o catformat.Options, pieces ...[]byte) []byte {
	f := catformat.New(o)
	out := make([]byte, 0, catformat.Room+100)
	var all []byte
	for _, src := range pieces {
		for len(src) > 0 {
			out, src = f.Append(out[:0], src)
			all = append(all, out...)
		}
	}
	return append(all, f.Finish(out[:0])...)
}

// model is what cat does, one byte after the other.
func model(o catformat.Options, text []byte) []byte {
	var out []byte
	lines := 0
	number := func() {
		lines++
		out = fmt.Appendf(out, "%6d\t", lines)
	}
	newlines := 1 // the last bytes, if the text had one before it
	for i, b := range text {
		if b == '\n' {
			newlines++
			if newlines > 2 && o.SqueezeBlank {
				continue
			}
			if newlines > 1 && o.Number && !o.NumberNonblank {
				number()
			}
			if o.ShowEnds {
				out = append(out, '$')
			}
			out = append(out, '\n')
			continue
		}
		if newlines > 0 && (o.Number || o.NumberNonblank) {
			number()
		}
		newlines = 0
		crlf := b == '\r' && i+1 < len(text) && text[i+1] == '\n'
		switch {
		case b == '\t' && !o.ShowTabs:
			out = append(out, b)
		case o.ShowNonprinting, b == '\t', crlf && o.ShowEnds:
			out = append(out, notation(b)...)
		default:
			out = append(out, b)
		}
	}
	return out
}

// notation is how -v shows a byte.
func notation(b byte) string {
	switch {
	case b >= 128:
		return "M-" + notation(b-128)
	case b == 127:
		return "^?"
	case b < 32:
		return "^" + string(rune(b+64))
	default:
		return string(rune(b))
	}
}

// texts generates text that has what cat looks for, in lines of all lengths, and
// long enough for a kind of lines that all ways of formatting are taken.
func texts() *rapid.Generator[[]byte] {
	odd := rapid.SampledFrom([]string{
		"\n", "\n", "\n\n", "\n\n\n", "\r", "\r\n", "\t", "\x00", "\x01", "\x1f", " ", "~", "\x7f", "\x80",
		"\x89", "\x8a", "\x8d", "\x9f", "\xa0", "\xfe", "\xff", "$", "$\n", "^M", "0", "9", "a",
	})
	odds := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(odd, 0, 40).Draw(t, "odds"), "")
	})
	repeated := rapid.Custom(func(t *rapid.T) string {
		unit := strings.Join(rapid.SliceOfN(odd, 1, 6).Draw(t, "unit"), "")
		return strings.Repeat(unit, rapid.IntRange(1, 1500).Draw(t, "times"))
	})
	lines := rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		longest := rapid.SampledFrom([]int{2, 8, 20, 60, 150, 3000}).Draw(t, "longest")
		for range rapid.IntRange(1, 40).Draw(t, "lines") {
			b.WriteString(strings.Repeat("x", rapid.IntRange(0, longest).Draw(t, "length")))
			b.WriteString(odd.Draw(t, "odd"))
			b.WriteByte('\n')
		}
		return b.String()
	})
	return rapid.Custom(func(t *rapid.T) []byte {
		parts := rapid.SliceOfN(rapid.OneOf(odds, repeated, lines), 0, 5).Draw(t, "parts")
		return []byte(strings.Join(parts, ""))
	})
}

// cut cuts text at random.
func cut(t *rapid.T, text []byte) (pieces [][]byte) {
	for len(text) > 0 && rapid.IntRange(0, 9).Draw(t, "last") > 0 {
		n := rapid.IntRange(0, min(len(text), rapid.SampledFrom([]int{2, 100, 5000}).Draw(t, "most"))).Draw(t, "n")
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	return append(pieces, text)
}

// difference says where two outputs begin to differ.
func difference(got, want []byte) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	near := func(b []byte) []byte { return b[max(0, i-40):min(len(b), i+40)] }
	return fmt.Sprintf("from byte %d of %d, %d on:\ngot  %q\nwant %q", i, len(got), len(want), near(got), near(want))
}

// letters returns all combinations of the options that are not combinations.
func letters() (all []string) {
	for set := range 1 << 6 {
		var b bytes.Buffer
		for i, c := range "nbsETv" {
			if set>>i&1 != 0 {
				b.WriteRune(c)
			}
		}
		all = append(all, b.String())
	}
	return all
}
