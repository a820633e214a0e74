package main

import (
	"fmt"
	"io"
	"strings"
)

// A table prints results case by case, in columns as wide as all cases need.
// A ratio above 1 is better than the reference: faster, or smaller in memory.
type table struct {
	out       io.Writer
	name, who int // widths
}

func newTable(out io.Writer, cases []benchCase, b toolbox) *table {
	t := &table{out, len("case"), len("contender")}
	for _, c := range cases {
		t.name = max(t.name, len(c.name))
		for _, who := range b.lineup(c) {
			t.who = max(t.who, len(who.label))
		}
	}
	t.row("case", "contender", "median", "CPU", "ratio")
	return t
}

func (t *table) row(name, who, figure, cpu, ratio string) {
	fmt.Fprintf(t.out, "%-*s  %-*s  %13s  %11s  %7s\n", t.name, name, t.who, who, figure, cpu, ratio)
}

// note says why there are no figures.
func (t *table) note(name, who, why string) {
	said := strings.ReplaceAll(strings.TrimSpace(why), "\n", "; ")
	fmt.Fprintf(t.out, "%-*s  %-*s  %s\n", t.name, name, t.who, who, said)
}

// add prints the figures of a case and says how many contenders failed.
func (t *table) add(c caseFigures) (failed int) {
	name := c.Name
	for _, f := range c.Contenders {
		switch {
		case f.Error != "":
			t.note(name, f.Label, f.Error)
		case f.Missing:
			t.note(name, f.Label, errNotInstalled.Error())
		default:
			t.row(name, f.Label, c.figure(f), c.cpu(f), ratioText(c.ratio(c.Contenders[0], f)))
		}
		if f.Error != "" {
			failed++
		}
		name = ""
	}
	return failed
}

func ratioText(ratio float64) string {
	if ratio == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", ratio)
}
