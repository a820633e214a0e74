package meter

import (
	"os"
	"slices"
	"strconv"
)

// A screen returns the text that changes the rows on a terminal. The cursor stays
// behind the last row.
type screen interface {
	show(rows []string, size size) []byte // rows in place of those before
	clear() []byte                        // no rows, the cursor where the first began
	end() []byte                          // the cursor on a new line, if there are rows
	shown() bool                          // whether there are rows that clear takes away
	lost()                                // others may have written below the rows
}

// A size is the size of a window in columns and rows. Zero rows are no limit: rows that
// do not fit scroll away.
type size struct{ columns, rows int }

// screenFor returns the screen for a terminal. The terminal "dumb", and a descriptor
// that is no terminal, get no escape sequences.
func screenFor(o Options, term terminal) screen {
	name := os.Getenv("TERM")
	switch {
	case o.Scroll:
		return scroll{}
	case o.Stacked:
		return &stacked{}
	case o.Plain || !term.real || name == "" || name == "dumb":
		return &plain{}
	}
	if o.Shared {
		if c := newCompany(o.FD); c != nil {
			return &shared{company: c}
		}
	}
	return &ansi{}
}

// The escape sequences of ECMA-48 that are used.
const (
	eraseToEndOfLine = "\x1b[K" // EL
	eraseBelow       = "\x1b[J" // ED
)

// up and down move the cursor (CUU, CUD).
func up(rows int) string   { return moved(rows, "A") }
func down(rows int) string { return moved(rows, "B") }

func moved(rows int, direction string) string {
	if rows <= 0 {
		return ""
	}
	return "\x1b[" + strconv.Itoa(rows) + direction
}

// ansi is a screen of any number of rows.
type ansi struct{ drawn int }

func (a *ansi) show(rows []string, size size) []byte {
	if size.rows > 0 && len(rows) > size.rows {
		rows = folded(rows, size)
	}
	if len(rows) < a.drawn {
		return append(a.clear(), a.show(rows, size)...)
	}
	if len(rows) == 0 {
		return nil
	}
	p := []byte(up(a.drawn - 1))
	for i, row := range rows {
		if i > 0 {
			p = append(p, '\n')
		}
		p = append(p, '\r')
		p = append(p, row...)
		// Behind a full row the cursor still stands on its last character,
		// which erasing would take away.
		if columns(row) < size.columns {
			p = append(p, eraseToEndOfLine...)
		}
	}
	a.drawn = len(rows)
	return p
}

// folded returns the first rows and a row with the number of the others, where there
// are more rows than fit. Rows beyond the window would scroll away and be repeated with
// each drawing.
func folded(rows []string, size size) []string {
	kept := size.rows - 1
	more := cut("... and "+strconv.Itoa(len(rows)-kept)+" more", size.columns)
	return append(slices.Clone(rows[:kept]), more)
}

func (a *ansi) clear() []byte {
	if a.drawn == 0 {
		return nil
	}
	p := []byte("\r" + up(a.drawn-1) + eraseBelow)
	a.drawn = 0
	return p
}

func (a *ansi) end() []byte {
	if a.drawn == 0 {
		return nil
	}
	a.drawn = 0
	return []byte("\n")
}

func (a *ansi) shown() bool { return a.drawn > 0 }

// lost leaves only the line where the cursor is: a row of ours, or a new one.
func (a *ansi) lost() { a.drawn = min(a.drawn, 1) }
