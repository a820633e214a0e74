package catformat

import "math/bits"

// A label is a short text that is put into lines: a mark, or a line number as cat
// prints it, right-aligned in six columns or more, followed by a tab. A number is
// kept as text: adding one to text is cheaper than formatting a number.
type label struct {
	low  uint64   // the end of the text: the last seven columns and the tab
	step uint64   // what is added to low to advance
	skip int      // bytes at the start of low that do not belong to the text
	size int      // bytes of low that do
	head [16]byte // the start of the text: the digits before those in low
	wide int      // the number of bytes in head
}

// maxLabel is longer than any line number.
const maxLabel = 16 + 8

const lastDigit = 6 * 8 // the bits before it in low

// newMark returns a label that is always b.
func newMark(b byte) label { return label{low: uint64(b), size: 1} }

// newNumber returns the label before that of the first line.
func newNumber() label {
	return label{low: load([]byte("      0\t")), step: 1 << lastDigit, skip: 1, size: 7}
}

// advance makes a number the next one.
func (l *label) advance() {
	l.low += l.step
	if byte(l.low>>lastDigit) > '9' {
		l.carry()
	}
}

// carry corrects a number whose last digit has passed 9.
func (l *label) carry() {
	for digit := lastDigit; digit > 0; digit -= 8 {
		l.low -= 10 << digit
		tens := digit - 8
		if byte(l.low>>tens) == ' ' {
			l.low += ('0' - ' ') << tens
		}
		l.low += 1 << tens
		if byte(l.low>>tens) <= '9' {
			if tens == 0 {
				l.skip, l.size = 0, 8
			}
			return
		}
	}
	l.low -= 10
	for i := l.wide - 1; i >= 0; i-- {
		l.head[i]++
		if l.head[i] <= '9' {
			return
		}
		l.head[i] = '0'
	}
	copy(l.head[1:], l.head[:])
	l.head[0] = '1'
	l.wide++
}

// put writes the label to the start of dst, which has at least maxLabel bytes,
// and returns its length.
func (l *label) put(dst []byte) int {
	*(*[16]byte)(dst) = l.head
	store(dst[l.wide&15:], l.low>>(l.skip*8&63))
	return l.wide + l.size
}

// insert copies the first 64 bytes of src to dst, advances the label and puts it
// before each byte whose bit is set in before. It returns the total length. It
// copies 64 bytes each time and overwrites those that are too many: branches on
// the number of bytes between two labels could not be predicted.
func (l *label) insert(dst *[2048 + 64]byte, src *[128]byte, before uint64) int {
	n, done := uint(0), uint(0)
	for ; before != 0; before &= before - 1 {
		copy64(dst[n&2047:], src[done&63:])
		at := uint(bits.TrailingZeros64(before))
		n += at - done
		done = at
		l.advance()
		n += uint(l.put(dst[n&2047:]))
	}
	copy64(dst[n&2047:], src[done&63:])
	return int(n + 64 - done)
}

func copy64(dst, src []byte) {
	*(*[16]byte)(dst[0:]) = *(*[16]byte)(src[0:])
	*(*[16]byte)(dst[16:]) = *(*[16]byte)(src[16:])
	*(*[16]byte)(dst[32:]) = *(*[16]byte)(src[32:])
	*(*[16]byte)(dst[48:]) = *(*[16]byte)(src[48:])
}
