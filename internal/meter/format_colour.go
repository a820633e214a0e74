package meter

import (
	"strconv"
	"strings"
)

// The colours of ECMA-48, and what else SGR sets.
var colourNames = []string{"black", "red", "green", "brown", "blue", "magenta", "cyan", "white", "", "default"}

var attributes = map[string]int{
	"reset": 0, "none": 0, "bold": 1, "dim": 2, "italic": 3, "underscore": 4, "underline": 4, "blink": 5, "reverse": 7,
	"no-bold": 22, "no-dim": 22, "no-italic": 23, "no-underscore": 24, "no-underline": 24, "no-blink": 25, "no-reverse": 27,
}

// colours is the escape sequence for a list of words and numbers. Words that it
// does not know are left out.
func (f Format) colours(list string) string {
	var codes []string
	for word := range strings.SplitSeq(list, ",") {
		if code, ok := colourCode(word); ok {
			codes = append(codes, strconv.Itoa(code))
		}
	}
	if !f.Colours || len(codes) == 0 {
		return ""
	}
	return "\x1b[" + strings.Join(codes, ";") + "m"
}

func colourCode(word string) (int, bool) {
	if n, err := strconv.ParseUint(word, 10, 8); err == nil {
		return int(n), true
	}
	if code, ok := attributes[word]; ok {
		return code, true
	}
	base := 30
	colour, background := strings.CutPrefix(word, "bg-")
	if background {
		base = 40
	}
	colour, foreground := strings.CutPrefix(colour, "fg-")
	if colour == "yellow" {
		colour = "brown"
	}
	for i, name := range colourNames {
		if name != "" && name == colour && (name != "default" || foreground || background) {
			return base + i, true
		}
	}
	return 0, false
}

// endsColoured reports whether the last colours of a format are not a reset.
func (f Format) endsColoured() (coloured bool) {
	for _, p := range f.parts {
		if p.kind != "sgr" {
			continue
		}
		for word := range strings.SplitSeq(p.text, ",") {
			if code, ok := colourCode(word); ok {
				coloured = code != 0
			}
		}
	}
	return coloured
}
