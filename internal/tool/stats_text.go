package tool

import (
	"fmt"
	"strings"

	"zeroutils/internal/splice"
	"zeroutils/internal/units"
)

// statsText is the report for people, without the tool's name in front.
func (inv *Invocation) statsText(r splice.Report, extra []Extra) string {
	lines := []string{summary(r)}
	for m, n := range r.By {
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", splice.Method(m), units.Count(n, "byte")))
		}
	}
	for _, f := range r.Fallbacks {
		lines = append(lines, fallbackText(f))
	}
	if r.Lease != splice.LeaseNone {
		lines = append(lines, leaseText(r))
	}
	for _, e := range extra {
		lines = append(lines, e.Lines...)
	}
	return strings.Join(lines, "\n"+inv.Name+": ")
}

// summary is the line that dd prints, and what only this engine counts.
func summary(r splice.Report) string {
	copies := 0.0
	if r.Delivered > 0 {
		copies = float64(r.Copied) / float64(r.Delivered)
	}
	return fmt.Sprintf("%s copied, %s s, %s, %s, %.2f CPU copies per byte",
		units.Bytes(r.Delivered), units.Seconds(r.Elapsed), units.Rate(r.Delivered, r.Elapsed),
		units.Count(r.Calls, "system call"), copies)
}

func fallbackText(f splice.Fallback) string {
	s := fmt.Sprintf("left %s for %s at byte %d", f.From, f.To, f.At)
	if f.Err != nil {
		s += ": " + ErrorText(f.Err)
	}
	if f.Count > 1 {
		s += fmt.Sprintf(" (%d times)", f.Count)
	}
	return s
}

func leaseText(r splice.Report) string {
	s := "lease: " + r.Lease.String()
	if r.LeaseErr != nil {
		s += ": " + ErrorText(r.LeaseErr)
	}
	return s
}
