package meter

import "strings"

// order is how the fields follow each other, which is pv's.
var order = [...]Fields{name, Count, Elapsed, Rate, Average, Bar, ETA, Finish}

// importance is who stays where not all fit, the first longest. Bar is the
// percentage here.
var importance = [...]Fields{Bar, name, ETA, Count, Rate, Elapsed, Finish, Average}

// Line shows a state within a width. Where there is room for all fields the bar
// takes what the others leave. Where there is not, the bar shrinks to its
// percentage, the name to what is needed, and then the fields that tell least
// are left out.
func (s Style) Line(st State, width int) string {
	line, fits := s.roomy(st, width)
	if !fits {
		line = s.crowded(st, width)
	}
	return strings.TrimRight(line, " ")
}

// wants reports whether a field is to be shown.
func (s Style) wants(f Fields) bool { return f == name || s.Fields&f != 0 }

// roomy is the line with all fields, if that fits.
func (s Style) roomy(st State, width int) (line string, fits bool) {
	var texts []string
	used, barAt := 0, -1
	for _, f := range order {
		text := s.text(f, st, width)
		if !s.wants(f) || text == "" && f != Bar {
			continue
		}
		if f == Bar {
			barAt = len(texts)
		}
		used += columns(text)
		texts = append(texts, text)
	}
	room := width - used - max(len(texts)-1, 0)
	if barAt < 0 {
		return strings.Join(texts, " "), room >= 0
	}
	if room < minBar(st) {
		return "", false
	}
	texts[barAt] = bar(st, room)
	return strings.Join(texts, " "), true
}

// crowded is the line with the most important fields that fit.
func (s Style) crowded(st State, width int) string {
	var chosen Fields
	room := width + 1 // the first needs no blank before it
	for _, f := range importance {
		text := s.short(f, st, width)
		if s.wants(f) && text != "" && columns(text) < room {
			chosen |= f
			room -= columns(text) + 1
		}
	}
	var texts []string
	for _, f := range order {
		if chosen&f != 0 {
			texts = append(texts, s.short(f, st, width))
		}
	}
	return strings.Join(texts, " ")
}
