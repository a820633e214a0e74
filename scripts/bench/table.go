package main

import (
	"fmt"
	"io"
	"slices"
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
func (t *table) note(name, who string, why error) {
	said := strings.ReplaceAll(strings.TrimSpace(why.Error()), "\n", "; ")
	fmt.Fprintf(t.out, "%-*s  %-*s  %s\n", t.name, name, t.who, who, said)
}

// add prints the results of a case and says how many contenders failed.
func (t *table) add(c benchCase, results []result) (failed int) {
	name := c.name
	for _, r := range results {
		if r.err == nil {
			t.row(name, r.label, c.figure(r), c.cpu(r), c.ratio(results[0], r))
		} else {
			t.note(name, r.label, r.err)
		}
		if r.err != nil && r.err != errNotInstalled {
			failed++
		}
		name = ""
	}
	return failed
}

// figure is what the case is about. A GB is 10^9 bytes.
func (c benchCase) figure(r result) string {
	switch c.shows {
	case "time", "start":
		return inUnit(median(r.samples, wall))
	case "memory":
		return fmt.Sprintf("%d KiB", median(r.samples, peak))
	}
	return fmt.Sprintf("%.2f GB/s", float64(c.length)/float64(median(r.samples, wall)))
}

// cpu is the CPU time of the tool alone, per GB where the figure is a rate.
func (c benchCase) cpu(r result) string {
	switch {
	case len(r.argv) == 0 || c.shows == "memory":
		return "-"
	case c.shows == "time" || c.shows == "start":
		return inUnit(median(r.samples, cpu))
	}
	return fmt.Sprintf("%.3f s/GB", float64(median(r.samples, cpu))/float64(c.length))
}

// ratio is how many times better than the reference a result is.
func (c benchCase) ratio(reference, r result) string {
	if reference.err != nil {
		return "-"
	}
	of := wall
	if c.shows == "memory" {
		of = peak
	}
	return fmt.Sprintf("%.2f", float64(median(reference.samples, of))/float64(median(r.samples, of)))
}

// inUnit writes nanoseconds in a unit that leaves at least two digits.
func inUnit(ns int64) string {
	if ns < 10e6 {
		return fmt.Sprintf("%d µs", ns/1e3)
	}
	return fmt.Sprintf("%d ms", ns/1e6)
}

func wall(s sample) int64 { return int64(s.wall) }
func cpu(s sample) int64  { return int64(s.cpu) }
func peak(s sample) int64 { return s.peak }

// median is the middle value, or the mean of the two in the middle.
func median(samples []sample, of func(sample) int64) int64 {
	var values []int64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
