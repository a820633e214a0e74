package catformat

import (
	"bytes"
	"math/bits"
)

// A squeezer drops empty lines that follow an empty line: each newline after two
// newlines.
type squeezer struct {
	last uint64 // bit 1 is set if the last byte was a newline, bit 0 if the one before was
}

// newSqueezer returns a squeezer to which the start of the text is the end of a
// line.
func newSqueezer() *squeezer { return &squeezer{last: 0b10} }

func (s *squeezer) squeeze(dst, src []byte) int {
	n := 0
	if spacing(src, '\n') >= 2*longLine && src[0] != '\n' && !bytes.Contains(src, []byte("\n\n\n")) {
		n = copy(dst, src[:len(src)-2])
		s.remember(src[n-2], src[n-1])
		src = src[n:]
	}
	for len(src) >= 128 {
		clean := pairless(src)
		if clean == 0 || s.last == 0b11 && src[0] == '\n' {
			n += s.squeezeBlock((*[128]byte)(dst[n:]), (*[128]byte)(src))
			src = src[64:]
			continue
		}
		n += copy(dst[n:], src[:clean])
		s.remember(src[clean-2], src[clean-1])
		src = src[clean:]
	}
	return n + s.squeezeEach(dst[n:], src)
}

// squeezeBlock squeezes the first 64 bytes of src. It reads the bytes behind them
// to fill words, and ignores them.
func (s *squeezer) squeezeBlock(dst, src *[128]byte) int {
	newline := newlineMask(src)
	drop := newline & (newline<<1 | s.last>>1) & (newline<<2 | s.last)
	s.last = newline >> 62
	n, from := 0, 0
	for drop != 0 {
		*(*[64]byte)(dst[n&63:]) = [64]byte(src[from&63:])
		to := bits.TrailingZeros64(drop)
		n += to - from
		from = to + bits.TrailingZeros64(^(drop >> to))
		drop &^= 1<<from - 1
	}
	*(*[64]byte)(dst[n&63:]) = [64]byte(src[from&63:])
	return n + 64 - from
}

func (s *squeezer) remember(last2, last byte) { s.last = isNewline(last2) | isNewline(last)<<1 }

// squeezeEach has no branches: among lines of a few bytes, the empty ones cannot
// be predicted.
func (s *squeezer) squeezeEach(dst, src []byte) int {
	n, last := 0, s.last
	for _, b := range src {
		newline := isNewline(b)
		dst[n] = b
		n += int(1 ^ newline&last&(last>>1))
		last = last>>1 | newline<<1
	}
	s.last = last
	return n
}

// isNewline is 1 for a newline and 0 for another byte.
func isNewline(b byte) uint64 { return (uint64(b^'\n') - 1) >> 63 }

// pairless returns the number of bytes, a multiple of 32, before the first two
// adjacent newlines of b of which the first is at an even index. Three adjacent
// newlines always contain such a pair. It sometimes stops where there is none.
func pairless(b []byte) int {
	const low = 0x0001000100010001
	i := 0
	for ; len(b)-i >= 32; i += 32 {
		s := b[i : i+32]
		w0, w1 := load(s[0:])^newlines, load(s[8:])^newlines
		w2, w3 := load(s[16:])^newlines, load(s[24:])^newlines
		zero := (w0-low)&^w0 | (w1-low)&^w1 | (w2-low)&^w2 | (w3-low)&^w3
		if zero&(low<<15) != 0 {
			break
		}
	}
	return i
}
