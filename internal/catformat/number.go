package catformat

import "bytes"

// A numberer puts a number before each line, when the line's first byte comes.
type numberer struct {
	next      label
	lineStart uint64 // 1 at the start of a line, otherwise 0
	all       bool   // number empty lines, too
	ends      bool   // each newline has a "$" before it, even that of an empty line
}

func newNumberer(all, ends bool) *numberer {
	return &numberer{next: newNumber(), lineStart: 1, all: all, ends: ends}
}

func (f *numberer) number(dst, src []byte) int {
	if spacing(src, '\n') >= longLine {
		return f.numberLong(dst, src)
	}
	n := 0
	for ; len(src) >= 128; src = src[64:] {
		s := (*[128]byte)(src)
		newline := newlineMask(s)
		first := newline<<1 | f.lineStart
		f.lineStart = newline >> 63
		switch {
		case f.all:
		case !f.ends:
			first &^= newline
		case s[64] == '\n':
			first &^= newline>>1 | 1<<63
		default:
			first &^= newline >> 1
		}
		n += f.next.insert((*[2048 + 64]byte)(dst[n:]), s, first)
	}
	return n + f.numberLong(dst[n:], src)
}

func (f *numberer) numberLong(dst, src []byte) int {
	n := 0
	first := f.lineStart == 1
	for p := 0; p < len(src); {
		line := src[p:]
		if first && (f.all || !f.empty(line)) {
			f.next.advance()
			n += f.next.put(dst[n:])
		}
		i := bytes.IndexByte(line, '\n') + 1
		first = i > 0
		if !first {
			i = len(line)
		}
		copy(dst[n:], line[:i])
		n += i
		p += i
	}
	f.lineStart = 0
	if first {
		f.lineStart = 1
	}
	return n
}

// empty reports whether an empty line is at the start of b. A "$" and its
// newline are never in different chunks.
func (f *numberer) empty(b []byte) bool {
	if f.ends {
		return len(b) > 1 && b[0] == '$' && b[1] == '\n'
	}
	return b[0] == '\n'
}
