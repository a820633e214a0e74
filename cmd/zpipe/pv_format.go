package main

import (
	"fmt"
	"os"
	"strings"
)

// formatFor is the format of the line, by the options that name parts or as -F
// has it. Without a total there is no time left to show.
func (o *pvOptions) formatFor(total bool) string {
	if o.formatText != nil {
		return o.withConemu(*o.formatText)
	}
	if o.look.Numeric {
		return o.withConemu(o.numericFormat())
	}
	shown := o.shown
	if len(shown) == 0 {
		shown = map[string]bool{"progress": true, "timer": true, "eta": true, "rate": true, "bytes": true}
	}
	var parts []string
	for _, s := range pvShows {
		switch {
		case s.option == "name" && o.look.Named:
			parts = append(parts, s.part)
		case !shown[s.option], !total && (s.option == "eta" || s.option == "fineta"):
		case s.option == "last-written":
			parts = append(parts, fmt.Sprintf("%%%dA", o.tail))
		default:
			parts = append(parts, s.part)
		}
	}
	return o.withConemu(strings.Join(parts, " "))
}

// withConemu adds what -9 asks for.
func (o *pvOptions) withConemu(format string) string {
	if o.conemu {
		return format + "%{progress-conemu}"
	}
	return format
}

func (o *pvOptions) numericFormat() string {
	var parts []string
	for _, s := range []struct{ option, part string }{{"timer", "%t"}, {"bytes", "%b"}, {"rate", "%r"}} {
		if o.shown[s.option] {
			parts = append(parts, s.part)
		}
	}
	if !o.shown["bytes"] && !o.shown["rate"] {
		parts = append(parts, "%{progress-amount-only}")
	}
	return strings.Join(parts, " ")
}

// coloursOn reports whether the terminal has colours, as far as its name tells.
func coloursOn() bool {
	term := os.Getenv("TERM")
	return term != "" && term != "dumb" && !strings.HasPrefix(term, "vt")
}
