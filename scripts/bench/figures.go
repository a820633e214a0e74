package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Figures are all that a run of the benchmark found. They are what the file of
// run.sh -o has, and what the pages of docs are made from.
type figures struct {
	Machine  string            `json:"machine"`
	Date     string            `json:"date"` // of the run, as 2006-01-02
	Size     string            `json:"size"` // as -s gives it
	Rounds   int               `json:"rounds"`
	Versions map[string]string `json:"versions"` // of the programs, by label
	Cases    []caseFigures     `json:"cases"`
	Servers  []serverFigures   `json:"servers"`
	Classic  []classicFigures  `json:"classic"`
}

type caseFigures struct {
	Name       string             `json:"name"`
	FS         string             `json:"fs"`
	Shows      string             `json:"shows"`
	Bytes      int64              `json:"bytes"` // that a tool moves; 0 where the case is about something else
	Skipped    string             `json:"skipped,omitempty"`
	Contenders []contenderFigures `json:"contenders,omitempty"`
}

// contenderFigures are of one contender. A zero means that it was not measured.
type contenderFigures struct {
	Label    string  `json:"label"`
	Command  string  `json:"command"`
	Ours     bool    `json:"ours,omitempty"`
	Missing  bool    `json:"missing,omitempty"` // it is not installed
	Error    string  `json:"error,omitempty"`
	Wall     []int64 `json:"wall,omitempty"`     // nanoseconds of each round, from the least
	CPU      int64   `json:"cpu,omitempty"`      // nanoseconds, median
	Switches int64   `json:"switches,omitempty"` // context switches, median
	Calls    int64   `json:"calls,omitempty"`    // system calls
	Peak     int64   `json:"peak,omitempty"`     // KiB resident
}

func (c benchCase) figures(results []result) caseFigures {
	f := caseFigures{Name: c.name, FS: c.fs, Shows: c.shows, Bytes: c.length}
	for _, r := range results {
		one := contenderFigures{Label: r.label, Command: r.text(), Ours: r.ours}
		switch {
		case r.err == errNotInstalled:
			one.Missing = true
		case r.err != nil:
			one.Error = r.err.Error()
		default:
			for _, s := range r.samples {
				one.Wall = append(one.Wall, int64(s.wall))
			}
			slices.Sort(one.Wall)
			one.CPU = median(r.samples, func(s sample) int64 { return int64(s.cpu) })
			one.Switches = median(r.samples, func(s sample) int64 { return s.switches })
			one.Calls = max(r.counted.calls, 0)
			if r.then == "" { // else it is the shell's
				one.Peak = r.counted.peak
			}
		}
		f.Contenders = append(f.Contenders, one)
	}
	return f
}

// text is the command as the case has it.
func (c command) text() string {
	text := strings.Join(c.argv, " ")
	if c.copies > 1 {
		text = fmt.Sprintf("%d × %s", c.copies, text)
	}
	if c.then != "" {
		text += " && " + c.then
	}
	return text
}

// isRate reports whether a figure is bytes per second.
func (c caseFigures) isRate() bool {
	return c.Shows == "rate" || c.Shows == "synced" || c.Shows == "cold"
}

// value is what the case is about: nanoseconds, or KiB; 0 where it was not
// measured. Less is better.
func (c caseFigures) value(f contenderFigures) int64 {
	if c.Shows == "memory" {
		return f.Peak
	}
	return middle(f.Wall)
}

// figure writes the value. A GB is 10^9 bytes.
func (c caseFigures) figure(f contenderFigures) string {
	switch v := c.value(f); {
	case v == 0:
		return "-"
	case c.Shows == "memory":
		return fmt.Sprintf("%d KiB", v)
	case c.isRate():
		return fmt.Sprintf("%.2f GB/s", float64(c.Bytes)/float64(v))
	default:
		return inUnit(v)
	}
}

// spread is how far the middle half of the rounds lies from the median at most,
// in percent.
func (c caseFigures) spread(f contenderFigures) string {
	n := len(f.Wall)
	if n < 3 {
		return "-"
	}
	m := float64(middle(f.Wall))
	low, high := float64(f.Wall[n/4]), float64(f.Wall[n-1-n/4])
	return fmt.Sprintf("%.0f %%", 100*max(m-low, high-m)/m)
}

// cpu is the CPU time of the tools alone, per GB where the figure is a rate.
func (c caseFigures) cpu(f contenderFigures) string {
	switch {
	case f.CPU == 0 || c.Shows == "memory":
		return "-"
	case c.isRate():
		return fmt.Sprintf("%.3f s/GB", float64(f.CPU)/float64(c.Bytes))
	}
	return inUnit(f.CPU)
}

// perGB writes a number of something, per GB where the figure is a rate.
func (c caseFigures) perGB(n int64) string {
	switch {
	case n == 0:
		return "-"
	case c.isRate():
		return fmt.Sprintf("%.0f", float64(n)/float64(c.Bytes)*1e9)
	}
	return fmt.Sprint(n)
}

// ratio is how many times better than the reference a result is, 0 where one of
// them has none.
func (c caseFigures) ratio(reference, f contenderFigures) float64 {
	if c.value(f) == 0 {
		return 0
	}
	return float64(c.value(reference)) / float64(c.value(f))
}

// bestPeer is the best of those that are not ours; no relay at all is none.
func (c caseFigures) bestPeer() (best contenderFigures) {
	for _, f := range c.Contenders {
		if v := c.value(f); v > 0 && !f.Ours && f.Command != noRelay && (c.value(best) == 0 || v < c.value(best)) {
			best = f
		}
	}
	return best
}

// noise is up to which part of itself a difference is none.
const noise = 0.03

// verdict says how one of ours stands against the best peer.
func (c caseFigures) verdict(f contenderFigures) string {
	best := c.bestPeer()
	ratio := c.ratio(best, f)
	switch {
	case !f.Ours || ratio == 0:
		return ""
	case ratio > 1+noise:
		return fmt.Sprintf("ahead, %.2f of %s", ratio, best.Label)
	case ratio < 1-noise:
		return fmt.Sprintf("**behind**, %.2f of %s", ratio, best.Label)
	}
	return "level with " + best.Label
}

// inUnit writes nanoseconds in a unit that leaves at least two digits.
func inUnit(ns int64) string {
	switch {
	case ns < 10e6:
		return fmt.Sprintf("%d µs", ns/1e3)
	case ns < 10e9:
		return fmt.Sprintf("%d ms", ns/1e6)
	}
	return fmt.Sprintf("%.1f s", time.Duration(ns).Seconds())
}

// median is the middle value, or the mean of the two in the middle; 0 of none.
func median(samples []sample, of func(sample) int64) int64 {
	var values []int64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return middle(values)
}

// middle is the median of sorted values; 0 of none.
func middle(values []int64) int64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

func (f figures) write(name string) error {
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}

// writeInto writes to a file what it has not, and replaces what it has. Earlier
// figures of other cases stay.
func (f figures) writeInto(name string) error {
	earlier, err := readFigures(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	maps.Copy(f.Versions, without(earlier.Versions, f.Versions))
	for _, c := range earlier.Cases {
		if _, again := f.named(c.Name); !again {
			f.Cases = append(f.Cases, c)
		}
	}
	if f.Servers == nil {
		f.Servers = earlier.Servers
	}
	if f.Classic == nil {
		f.Classic = earlier.Classic
	}
	return f.write(name)
}

// without is what a has and b has not.
func without(a, b map[string]string) map[string]string {
	rest := maps.Clone(a)
	maps.DeleteFunc(rest, func(key, _ string) bool { _, there := b[key]; return there })
	return rest
}

func readFigures(name string) (f figures, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(text, &f)
}
