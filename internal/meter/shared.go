package meter

// shared is a screen of one row beside those of other processes. Between two
// writes the cursor is at the beginning of the lowest row. What is called here
// is called with the company locked.
type shared struct {
	company *company
	row     []byte // the last that was shown
	raised  int    // how many rows above the lowest the cursor is
	window  size   // when it was shown
}

// The escape sequences of ECMA-48 that insert and delete lines.
const (
	insertLine = "\x1b[L" // IL
	deleteLine = "\x1b[M" // DL
)

func (s *shared) show(rows []string, size size) []byte {
	if len(rows) == 0 {
		return nil
	}
	p := []byte(down(s.raised))
	s.raised, s.window = 0, size
	if !s.shown() && s.company.join() > 0 {
		p = append(p, '\n')
	}
	last := rows[len(rows)-1]
	s.row = []byte(last)
	if columns(last) < size.columns {
		s.row = append(s.row, eraseToEndOfLine...)
	}
	below := s.company.below()
	if size.rows > 0 && below >= size.rows {
		return append(p, '\r') // the row has scrolled out of the window
	}
	p = append(p, '\r')
	p = append(p, up(below)...)
	p = append(p, s.row...)
	p = append(p, down(below)...)
	return append(p, '\r')
}

// clear makes room for a line above all rows.
func (s *shared) clear() []byte {
	if !s.shown() {
		return nil
	}
	rows := s.company.above() + 1 + s.company.below()
	s.raised = rows - 1
	return []byte("\n\r" + up(rows) + insertLine)
}

// end puts the row above those that go on.
func (s *shared) end() []byte {
	if !s.shown() {
		return nil
	}
	above, below := s.company.above(), s.company.below()
	s.company.leave()
	if above+below == 0 {
		return []byte("\n")
	}
	if rows := s.window.rows; rows > 0 && above+below >= rows {
		// The row leaves by the top of a window that has no room for all of them.
		p := append([]byte("\r"+up(rows-1)), s.row...)
		return append(p, "\r"+down(rows-1)+"\n"...)
	}
	p := []byte("\r" + up(below) + deleteLine + up(above) + insertLine)
	p = append(p, s.row...)
	return append(p, down(above+below)+"\r"...)
}

func (s *shared) shown() bool { return s.company.seat != 0 }

// lost gives the row up: the next one is a new one at the bottom.
func (s *shared) lost() {
	s.company.leave()
	s.raised = 0
}
