package meter

import "strings"

// stacked is a screen of several rows, of which no more are shown than fit.
// Between two writes the cursor is at the beginning of the first row.
type stacked struct {
	widths  []int // of the rows that are shown
	columns int   // of the window
}

func (s *stacked) show(rows []string, size size) []byte {
	if size.rows > 0 {
		rows = rows[:min(len(rows), size.rows)]
	}
	if len(rows) == 0 {
		return nil
	}
	for len(s.widths) < len(rows) {
		s.widths = append(s.widths, 0)
	}
	s.columns = size.columns
	var p []byte
	for i, width := range s.widths {
		if i > 0 {
			p = append(p, '\n')
		}
		row := ""
		if i < len(rows) {
			row = rows[i]
		}
		p = append(p, row+blanks(width-columns(row))+"\r"...)
		s.widths[i] = max(width, columns(row))
	}
	return append(p, strings.Repeat("\x1b[A", len(s.widths)-1)...)
}

func (s *stacked) clear() []byte {
	var p []byte
	for i := range s.widths {
		if i > 0 {
			p = append(p, '\n')
		}
		p = append(p, blanks(s.columns)+"\r"...)
	}
	if len(s.widths) > 1 {
		p = append(p, strings.Repeat("\x1b[A", len(s.widths)-1)...)
	}
	s.widths = nil
	return p
}

func (s *stacked) end() []byte {
	n := len(s.widths)
	s.widths = nil
	return []byte(strings.Repeat("\n", n))
}

func (s *stacked) shown() bool { return len(s.widths) > 0 }

// lost changes nothing, as with plain.
func (s *stacked) lost() {}
