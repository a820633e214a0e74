package meter

import "strings"

// scroll is a screen where each row is a line of text, never to be changed.
type scroll struct{}

func (scroll) show(rows []string, _ size) []byte {
	if len(rows) == 0 {
		return nil
	}
	return []byte(strings.Join(rows, "\n") + "\n")
}

func (scroll) clear() []byte { return nil }
func (scroll) end() []byte   { return nil }
func (scroll) shown() bool   { return false }
func (scroll) lost()         {}
