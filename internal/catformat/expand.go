package catformat

import (
	"bytes"
	"encoding/binary"
)

// An expander replaces one byte by up to four.
type expander struct {
	table [256]expansion
	only  int    // the one byte that changes, or -1: all unprintable ones may
	plain uint64 // eight times an unprintable byte that stays; 0 if there is none
}

// An expansion is size bytes, the first in the lowest bits.
type expansion struct{ bytes, size uint32 }

const maxExpansion = 4

// newVisualizer returns an expander of all unprintable bytes except newlines and,
// on request, tabs. It can put a "$" before newlines, too.
func newVisualizer(tabs, ends bool) *expander {
	e := &expander{only: -1, plain: newlines}
	for b := range 256 {
		e.set(byte(b), visible(byte(b)))
	}
	e.set('\n', "\n")
	if !tabs {
		e.set('\t', "\t")
		e.plain = '\t' * ones
	}
	if ends {
		e.set('\n', "$\n")
		e.plain = 0
	}
	return e
}

func visible(b byte) string {
	switch {
	case b >= 0x80:
		return "M-" + visible(b-0x80)
	case b < ' ' || b == 0x7f:
		return string([]byte{'^', b ^ 0x40})
	default:
		return string([]byte{b})
	}
}

// newReplacer returns an expander of one byte.
func newReplacer(only byte, s string) *expander {
	e := &expander{only: int(only)}
	for b := range 256 {
		e.set(byte(b), string([]byte{byte(b)}))
	}
	e.set(only, s)
	return e
}

func (e *expander) set(b byte, s string) {
	var buf [maxExpansion]byte
	n := copy(buf[:], s)
	e.table[b] = expansion{binary.LittleEndian.Uint32(buf[:]), uint32(n)}
}

func (e *expander) expand(dst, src []byte) int {
	const rare = 24 // from this distance IndexByte is faster than looking up all bytes
	if e.only >= 0 && spacing(src, byte(e.only)) > rare {
		return e.expandRare(dst, src)
	}
	n := 0
	for ; len(src) >= 64; src = src[64:] {
		n += e.expandBlock((*[256 + 64]byte)(dst[n:]), (*[64]byte)(src))
	}
	for _, b := range src {
		x := e.table[b]
		binary.LittleEndian.PutUint32(dst[n:], x.bytes)
		n += int(x.size)
	}
	return n
}

func (e *expander) expandRare(dst, src []byte) int {
	n := 0
	x := e.table[e.only]
	for p := 0; p < len(src); {
		i := bytes.IndexByte(src[p:], byte(e.only))
		if i < 0 {
			return n + copy(dst[n:], src[p:])
		}
		copy(dst[n:], src[p:p+i])
		binary.LittleEndian.PutUint32(dst[n+i:], x.bytes)
		n += i + int(x.size)
		p += i + 1
	}
	return n
}

// expandBlock copies a word if nothing in it changes. Otherwise it looks up all
// its bytes, since the place of the one that changes cannot be predicted.
func (e *expander) expandBlock(dst *[256 + 64]byte, src *[64]byte) int {
	n := uint32(0)
	for i := 0; i < 64; i += 8 {
		s := src[i&56:]
		w := load(s)
		if e.only < 0 && (unprintable(w) == 0 || e.plain != 0 && unprintable(e.blank(w)) == 0) {
			store(dst[n&255:], w)
			n += 8
			continue
		}
		n = e.put(dst, n, byte(w)) // s[0] would keep the compiler from loading w at once
		n = e.put(dst, n, s[1])
		n = e.put(dst, n, s[2])
		n = e.put(dst, n, s[3])
		n = e.put(dst, n, s[4])
		n = e.put(dst, n, s[5])
		n = e.put(dst, n, s[6])
		n = e.put(dst, n, s[7])
	}
	return int(n)
}

func (e *expander) put(dst *[256 + 64]byte, n uint32, b byte) uint32 {
	x := &e.table[b]
	binary.LittleEndian.PutUint32(dst[n&255:], x.bytes)
	return n + x.size
}

// blank replaces the unprintable bytes that stay by printable ones.
func (e *expander) blank(w uint64) uint64 {
	return w | (zeros(w^newlines)|zeros(w^e.plain))>>2
}
