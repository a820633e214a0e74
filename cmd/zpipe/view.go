package main

import (
	"strconv"
	"time"

	"zeroutils/internal/meter"
	"zeroutils/internal/tool"
)

// A view is what is shown on standard error, and how.
type view struct {
	on      bool
	named   bool // by options that say what, not only how
	numeric bool
	waits   bool // for the first byte
	style   meter.Style
	options meter.Options
}

// fieldsOf are the parts of the line that have an option each.
var fieldsOf = []struct {
	option string
	field  meter.Fields
}{
	{"progress", meter.Bar}, {"timer", meter.Elapsed}, {"eta", meter.ETA}, {"fineta", meter.Finish},
	{"rate", meter.Rate}, {"average-rate", meter.Average}, {"bytes", meter.Count},
}

// newView reads the options. There is nothing to see unless one of them is
// given; those that name no field show pv's usual ones.
func newView(inv *tool.Invocation) (view, error) {
	v := view{numeric: inv.Flags.Bool("numeric"), waits: inv.Flags.Bool("wait")}
	for _, f := range fieldsOf {
		if inv.Flags.Bool(f.option) {
			v.style.Fields |= f.field
		}
	}
	v.named = v.style.Fields != 0 || v.numeric
	v.on = v.named
	for _, option := range []string{"wait", "delay-start", "interval", "name", "width", "force", "cursor", "size"} {
		v.on = v.on || inv.Flags.IsSet(option) && !(option == "size" && inv.Flags.Bool("stop-at-size"))
	}
	v.on = v.on && !inv.Flags.Bool("quiet")
	if v.style.Fields == 0 && !v.numeric {
		v.style.Fields = meter.Default
	}
	v.style.Name = inv.Flags.String("name")
	v.options = meter.Options{FD: 2, Shared: true, Force: inv.Flags.Bool("force"), Scroll: v.numeric}
	return v, v.measures(inv)
}

// The intervals between two drawings that pv allows.
const (
	shortestInterval = 100 * time.Millisecond
	longestInterval  = 10 * time.Minute
)

// measures reads the options that are numbers.
func (v *view) measures(inv *tool.Invocation) (err error) {
	if s := inv.Flags.String("interval"); inv.Flags.IsSet("interval") {
		if v.options.Interval, err = tool.Seconds("interval", s); err != nil {
			return err
		}
		v.options.Interval = min(max(v.options.Interval, shortestInterval), longestInterval)
	}
	if s := inv.Flags.String("delay-start"); inv.Flags.IsSet("delay-start") {
		if v.options.Delay, err = tool.Seconds("delay", s); err != nil {
			return err
		}
	}
	if s := inv.Flags.String("width"); inv.Flags.IsSet("width") {
		columns, err := strconv.ParseUint(s, 10, 31)
		if err != nil || columns == 0 {
			return tool.UsageErrorf("invalid width: %s", tool.QuoteLocale(s))
		}
		v.options.Width = int(min(columns, widest))
	}
	return nil
}

// withoutEnd leaves out what can only be said of something that has an end.
func (v *view) withoutEnd() {
	v.style.Fields &= meter.Count | meter.Rate | meter.Average | meter.Elapsed
	if v.style.Fields&^meter.Elapsed == 0 {
		v.style.Fields |= meter.Count | meter.Rate
	}
}

// widest bounds what a line may take of memory.
const widest = 10000

// meter makes the meter for so many bytes, or 0.
func (v *view) meter(total int64) *meter.Meter {
	if v.waits {
		return meter.NewWaiting(total)
	}
	return meter.New(total)
}

// source is what is drawn.
func (v *view) source(m *meter.Meter) meter.Source {
	if v.numeric {
		return meter.Numbers(m, v.style)
	}
	return meter.Row(m, v.style)
}
