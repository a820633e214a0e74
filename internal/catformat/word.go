package catformat

import "encoding/binary"

// Eight bytes are often handled as one little-endian word, with the first byte in
// the lowest bits.
const (
	ones     = 0x0101010101010101 // times a byte: eight of it
	lows     = 0x7f * ones
	highs    = 0x80 * ones
	newlines = '\n' * ones
)

func load(b []byte) uint64     { return binary.LittleEndian.Uint64(b) }
func store(b []byte, w uint64) { binary.LittleEndian.PutUint64(b, w) }

// unprintable is 0 if all bytes are printable ASCII, and any other value if not.
func unprintable(w uint64) uint64 { return (w | (w + ones) | (w - ' '*ones)) & highs }

// zeros has the highest bit of each byte that is 0.
func zeros(w uint64) uint64 { return (highs - w&lows) &^ w & highs }

// newlineMask has bit i set if b[i] is a newline, for the first 64 bytes of b.
func newlineMask(b *[128]byte) uint64 {
	return newlineMask8(b[0:]) | newlineMask8(b[8:])<<8 |
		newlineMask8(b[16:])<<16 | newlineMask8(b[24:])<<24 |
		newlineMask8(b[32:])<<32 | newlineMask8(b[40:])<<40 |
		newlineMask8(b[48:])<<48 | newlineMask8(b[56:])<<56
}

// newlineMask8 is newlineMask for the first 8 bytes. The product gathers the lowest
// bit of each byte in the highest byte.
func newlineMask8(b []byte) uint64 {
	return zeros(load(b)^newlines) >> 7 * 0x0102040810204080 >> 56
}
