package meter

import "strings"

// plain is a screen where nothing but a carriage return moves the cursor. It has
// one row: of several the last, which is the one for the whole.
type plain struct {
	drawn bool
	width int // of what is drawn, blanks at its end included
}

func (s *plain) show(rows []string, _ size) []byte {
	if len(rows) == 0 {
		return s.clear()
	}
	row := rows[len(rows)-1]
	rest := blanks(s.width - columns(row))
	s.width = max(s.width, columns(row))
	s.drawn = true
	return []byte(row + rest + "\r")
}

func (s *plain) clear() []byte {
	if s.width == 0 {
		return nil
	}
	p := []byte(blanks(s.width) + "\r")
	s.drawn, s.width = false, 0
	return p
}

func (s *plain) end() []byte {
	if !s.drawn {
		return nil
	}
	s.drawn, s.width = false, 0
	return []byte("\n")
}

func (s *plain) shown() bool { return s.drawn }

// lost changes nothing: it is one line, and on a new one the blanks do no harm.
func (s *plain) lost() {}

func blanks(n int) string { return strings.Repeat(" ", max(n, 0)) }
