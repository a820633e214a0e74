package catformat

import "bytes"

// A lineEnds puts a "$" before each newline, and replaces a CR before that by
// "^M". Other CRs stay, so it holds back a CR at the end of src.
type lineEnds struct {
	heldCR bool
	dollar label
	lookUp *expander
}

func newLineEnds() *lineEnds {
	return &lineEnds{dollar: newMark('$'), lookUp: newReplacer('\n', "$\n")}
}

func (e *lineEnds) show(dst, src []byte) int {
	n := 0
	if e.heldCR && src[0] == '\n' {
		n = copy(dst, "^M")
	} else if e.heldCR {
		n = copy(dst, "\r")
	}
	e.heldCR = src[len(src)-1] == '\r'
	if e.heldCR {
		src = src[:len(src)-1]
	}
	length := spacing(src, '\n')
	if length >= longLine || bytes.IndexByte(src, '\r') >= 0 {
		return n + e.showLong(dst[n:], src)
	}
	if length < shortLine {
		return n + e.lookUp.expand(dst[n:], src)
	}
	for ; len(src) >= 128; src = src[64:] {
		s := (*[128]byte)(src)
		n += e.dollar.insert((*[2048 + 64]byte)(dst[n:]), s, newlineMask(s))
	}
	return n + e.showLong(dst[n:], src)
}

func (e *lineEnds) showLong(dst, src []byte) int {
	n := 0
	for p := 0; p < len(src); {
		line := src[p:]
		i := bytes.IndexByte(line, '\n')
		if i < 0 {
			return n + copy(dst[n:], line)
		}
		p += i + 1
		copy(dst[n:], line[:i])
		n += i
		if i > 0 && line[i-1] == '\r' {
			dst[n-1], dst[n] = '^', 'M'
			n++
		}
		dst[n], dst[n+1] = '$', '\n'
		n += 2
	}
	return n
}
