package main

import (
	"fmt"
	"math"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
	"zeroutils/internal/units"
)

// A stageStats is what --stats=json says of a stage.
type stageStats struct {
	Command string  `json:"command"`
	Bytes   *int64  `json:"bytes"`            // that have left it; of the last, that have come to it; null for a single one
	Seconds float64 `json:"seconds"`          // that it ran
	Rate    *int64  `json:"bytes_per_second"` // null where one of the two is missing
	Working float64 `json:"working"`          // shares of the seconds
	Input   float64 `json:"waiting_for_input"`
	Output  float64 `json:"waiting_for_output"`
	CPU     float64 `json:"cpu_seconds"`
	Status  int     `json:"status"`
}

// printStats writes what --stats asks for: of all relays together, and of each
// stage.
func (p *pipeline) printStats() {
	total := splice.Report{}
	for _, j := range p.joints {
		total.Add(j.report)
	}
	total.Elapsed = p.elapsed
	all := make([]stageStats, len(p.stages))
	lines := make([]string, len(p.stages))
	for i := range p.stages {
		all[i], lines[i] = p.statsOf(i)
	}
	var slowest any
	if i, _ := p.slowest(); i >= 0 {
		slowest = i + 1
	}
	p.inv.PrintStats(total, tool.Extra{Key: "slowest", Value: slowest}, tool.Extra{Key: "stages", Value: all, Lines: lines})
}

// statsOf returns the statistics of a stage, and as a line of text.
func (p *pipeline) statsOf(i int) (stats stageStats, line string) {
	s := p.stages[i]
	stats = stageStats{
		Command: s.name(), Seconds: s.life().Seconds(), Status: s.status(),
		Working: s.spent.share(working), Input: s.spent.share(waitingForInput), Output: s.spent.share(waitingForOutput),
	}
	if s.process != nil {
		stats.CPU = s.process.CPUTime().Seconds()
	}
	moved := ""
	if counter := p.counter(i); counter != nil {
		n := counter.Count()
		stats.Bytes = &n
		if stats.Seconds > 0 {
			rate := int64(math.Round(float64(n) / stats.Seconds))
			stats.Rate = &rate
		}
		moved = fmt.Sprintf("%s, %s, ", units.Bytes(n), units.Rate(n, s.life()))
	}
	return stats, fmt.Sprintf("stage %d, %s: %s%s s, working %.0f%%, waiting for input %.0f%%, for output %.0f%%, %s s of CPU time, status %d",
		i+1, tool.Quote(s.name()), moved, units.Seconds(s.life()),
		100*stats.Working, 100*stats.Input, 100*stats.Output, fmt.Sprintf("%.2f", stats.CPU), stats.Status)
}
