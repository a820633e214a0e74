package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/meter"
	"zeroutils/internal/tool"
)

// viewFlags are pv's options of what is shown and how.
func viewFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "progress", Aliases: []string{"p"}, Usage: "show a progress bar"},
		&cli.BoolFlag{Name: "timer", Aliases: []string{"t"}, Usage: "show the time that has gone by"},
		&cli.BoolFlag{Name: "eta", Aliases: []string{"e"}, Usage: "show the time that is left"},
		&cli.BoolFlag{Name: "fineta", Aliases: []string{"I"}, Usage: "show the time of day of the end"},
		&cli.BoolFlag{Name: "rate", Aliases: []string{"r"}, Usage: "show the current rate"},
		&cli.BoolFlag{Name: "average-rate", Aliases: []string{"a"}, Usage: "show the rate over the last 30 seconds"},
		&cli.BoolFlag{Name: "bytes", Aliases: []string{"b"}, Usage: "show how many bytes have passed"},
		&cli.BoolFlag{Name: "numeric", Aliases: []string{"n"}, Usage: "show numbers for programs, a line each time: the percentage, or what -t, -b and -r ask for"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "show nothing"},
		&cli.BoolFlag{Name: "wait", Aliases: []string{"W"}, Usage: "show nothing before the first byte"},
		&cli.StringFlag{Name: "delay-start", Aliases: []string{"D"}, Usage: "show nothing in the first `SEC` seconds"},
		&cli.StringFlag{Name: "interval", Aliases: []string{"i"}, Usage: "show it every `SEC` seconds, from 0.1 to 600 (1)"},
		&cli.StringFlag{Name: "name", Aliases: []string{"N"}, Usage: "put `NAME` in front"},
		&cli.StringFlag{Name: "width", Aliases: []string{"w"}, Usage: "be `COLUMNS` wide, not as wide as the terminal"},
		&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "show it also where standard error is no terminal"},
		&cli.StringFlag{Name: "watchfd", Aliases: []string{"d"}, Usage: "relay nothing, but show how far process `PID`, or PID:FD, has come in its files"},
		&cli.BoolFlag{Name: "cursor", Aliases: []string{"c"}, Usage: "accepted as pv does; the displays of a pipeline share the terminal anyway"},
	}
}

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
		columns, err := tool.Bytes("width", s)
		if err != nil {
			return err
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
