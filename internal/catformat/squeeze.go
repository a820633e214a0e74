package catformat

import "bytes"

// A squeezer drops the empty lines that follow an empty line, that is, each
// newline that follows two.
type squeezer struct {
	newlines int // that came last, and 2 if more; the start of the text is one
}

func newSqueezer() *squeezer { return &squeezer{newlines: 1} }

// squeeze copies all up to the third of three newlines in a row. Where these
// are, there are likely more, so it goes on byte by byte for a while.
func (s *squeezer) squeeze(dst, src []byte) int {
	const nearby = 64
	index := indexThreeNewlines
	if spacing(src, '\n') >= 2*longLine {
		index = func(b []byte) int { return bytes.Index(b, []byte("\n\n\n")) }
	}
	n := 0
	for p := 0; p < len(src); {
		for s.newlines == 2 && len(src)-p >= 8 && load(src[p:]) == newlines {
			p += 8
		}
		near := src[p:min(p+nearby, len(src))]
		n += s.squeezeEach(dst[n:], near)
		p += len(near)
		if p == len(src) {
			break
		}
		from := p
		p = len(src)
		if i := index(src[from-2:]); i >= 0 {
			p = from + i
		}
		n += copy(dst[n:], src[from:p])
		s.newlines = 0
		for s.newlines < 2 && src[p-1-s.newlines] == '\n' {
			s.newlines++
		}
	}
	return n
}

// squeezeEach has no branches: which lines are empty, among lines of a few
// bytes, cannot be predicted.
func (s *squeezer) squeezeEach(dst, src []byte) int {
	n, run := 0, s.newlines
	for _, b := range src {
		newline := (int(b^'\n') - 1) >> 63 // all bits, or none for another byte
		run = (run + 1) & newline
		dst[n] = b
		n += 1 + (2-run)>>63 // stays if there are more than 2
	}
	s.newlines = min(run, 2)
	return n
}

// indexThreeNewlines returns where the first three newlines in a row are in b,
// or -1. Of any three, two are at an even index and the next, so it looks at
// such pairs, as 16-bit words, and where it finds one, at its neighbors.
func indexThreeNewlines(b []byte) int {
	const low = 0x0001000100010001
	i := 0
	for ; len(b)-i >= 32; i += 32 {
		s := b[i : i+32]
		w0, w1 := load(s[0:])^newlines, load(s[8:])^newlines
		w2, w3 := load(s[16:])^newlines, load(s[24:])^newlines
		zero := (w0-low)&^w0 | (w1-low)&^w1 | (w2-low)&^w2 | (w3-low)&^w3
		if zero&(low<<15) == 0 {
			continue
		}
		if j := indexAroundPair(b, i, i+32); j >= 0 {
			return j
		}
	}
	return indexAroundPair(b, i, len(b))
}

// indexAroundPair does so for pairs in b[from:to], with from being even.
func indexAroundPair(b []byte, from, to int) int {
	for i := from; i+1 < to; i += 2 {
		if b[i] == '\n' && b[i+1] == '\n' {
			if i > 0 && b[i-1] == '\n' {
				return i - 1
			}
			if i+2 < len(b) && b[i+2] == '\n' {
				return i
			}
		}
	}
	return -1
}
