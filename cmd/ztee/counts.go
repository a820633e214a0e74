package main

import (
	"fmt"
	"os"
	"syscall"

	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// countOnSignal prints how much every output has whenever SIGUSR1 comes, also
// while one of them is blocked. It never stops: a late signal must not kill.
func (t *tee) countOnSignal() {
	asked := make(chan os.Signal, 1)
	signals.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			for _, o := range t.outputs {
				t.inv.Warnf("%s: %d bytes", tool.Quote(o.name), o.Delivered())
			}
		}
	}()
}

// A sinkStats is an output in the statistics.
type sinkStats struct {
	Name    string           `json:"name"`
	Bytes   int64            `json:"bytes"`
	Methods map[string]int64 `json:"methods"`
	Error   *string          `json:"error"`
}

// printStats adds a line, or an object in the list "sinks", for each output.
func (t *tee) printStats() {
	extra := tool.Extra{Key: "sinks"}
	sinks := []sinkStats{}
	for _, o := range t.outputs {
		s := sinkStats{Name: o.name, Bytes: o.Delivered(), Methods: map[string]int64{}}
		line := fmt.Sprintf("%s: %d bytes", tool.Quote(o.name), s.Bytes)
		for m, n := range o.By {
			if n > 0 {
				name := splice.Method(m).String()
				s.Methods[name] = n
				line += fmt.Sprintf(", %s %d", name, n)
			}
		}
		if o.Err != nil {
			text := tool.ErrorText(o.Err)
			s.Error = &text
			line += ": " + text
		}
		sinks = append(sinks, s)
		extra.Lines = append(extra.Lines, line)
	}
	extra.Value = sinks
	t.inv.PrintStats(t.report, extra)
}
