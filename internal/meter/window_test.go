package meter

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// A window is a terminal that understands what a screen writes, and panics at
// anything that garbles. It is as high as need be.
type window struct {
	lines    [][]rune // all of the same width
	row, col int
	pending  bool // the last column is written, and the cursor still on it
	first    int  // the lines above belong to others
}

func newWindow(width int) *window {
	return &window{lines: [][]rune{blankLine(width)}}
}

func blankLine(width int) []rune { return []rune(strings.Repeat(" ", width)) }

// write does what a terminal does with p.
func (w *window) write(p []byte) {
	for len(p) > 0 {
		if !bytes.HasPrefix(p, []byte("\x1b[")) {
			w.put(rune(p[0]))
			p = p[1:]
			continue
		}
		end := bytes.IndexAny(p, "ABKJLM")
		w.control(string(p[2:end]), p[end])
		p = p[end+1:]
	}
}

func (w *window) put(c rune) {
	switch c {
	case '\r':
		w.col, w.pending = 0, false
	case '\n': // the terminal's driver puts a carriage return before it
		w.row, w.col, w.pending = w.row+1, 0, false
		if w.row == len(w.lines) {
			w.lines = append(w.lines, blankLine(len(w.lines[0])))
		}
	default:
		if w.pending {
			panic("the line wraps")
		}
		w.lines[w.row][w.col] = c
		w.pending = w.col == len(w.lines[0])-1
		if !w.pending {
			w.col++
		}
	}
}

func (w *window) control(parameter string, final byte) {
	switch final {
	case 'A':
		n, err := strconv.Atoi(parameter)
		if w.row, w.pending = w.row-n, false; err != nil || n < 1 || w.row < w.first {
			panic("the cursor goes up too far")
		}
	case 'B':
		n, err := strconv.Atoi(parameter)
		if w.row, w.pending = w.row+n, false; err != nil || n < 1 || w.row >= len(w.lines) {
			panic("the cursor goes down too far")
		}
	case 'L': // what was in the last line is lost if the window is full
		w.lines = slices.Insert(w.lines, w.row, blankLine(len(w.lines[0])))
	case 'M':
		w.lines = append(slices.Delete(w.lines, w.row, w.row+1), blankLine(len(w.lines[0])))
	case 'J':
		w.lines = w.lines[:w.row+1]
		fallthrough
	case 'K':
		copy(w.lines[w.row][w.col:], blankLine(len(w.lines[0])))
	}
}

// print writes a line of somebody else's, at the cursor, which must be at the
// beginning of an empty one.
func (w *window) print(text string) {
	if w.col != 0 || strings.TrimSpace(string(w.lines[w.row])) != "" {
		panic("the message is garbled")
	}
	w.write([]byte(text + "\n"))
	w.first = w.row
}

// text is what can be read.
func (w *window) text() []string {
	var all []string
	for _, line := range w.lines {
		all = append(all, strings.TrimRight(string(line), " "))
	}
	return trimmed(all)
}

// trimmed leaves out empty lines at the end, where only the cursor may be.
func trimmed(lines []string) []string {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
