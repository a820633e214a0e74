package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"zeroutils/internal/meter"
	"zeroutils/internal/signals"
)

// adopt gives a file a meter that has counted what was read before, and a name.
func (p *pvWatch) adopt(f *openFile) {
	f.meter = meter.NewLikePV(f.total(0), p.window, p.wait)
	f.meter.Add(f.at)
	here, _ := os.Getwd() // without it, names are shown whole
	f.name = f.file
	if inside, ok := strings.CutPrefix(f.file, here+"/"); ok && here != "" {
		f.name = inside
	}
}

// show draws a row for each file, with its name where there may be several.
func (p *pvWatch) show() {
	p.look.Colours = coloursOn()
	p.line = meter.ParseFormat(p.formatFor(true), p.look)
	p.look.Named = true
	p.named = meter.ParseFormat(p.formatFor(true), p.look)
	if !p.quiet {
		p.display = meter.Start(meter.Options{
			FD: 2, Interval: p.interval, Delay: p.delay, Width: p.width, Height: p.height,
			Force: p.force, Scroll: p.look.Numeric, Stacked: true, Clear: !p.watch.followsAny(),
		}, p.rows)
	}
	caught := make(chan os.Signal, 1)
	signals.Notify(caught, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		sig := (<-caught).(syscall.Signal)
		p.display.Break()
		p.inv.Warnf("interrupted by a signal: %s", signalNames[sig])
		os.Exit(pvInterrupted)
	}()
}

// end takes the row of a descriptor away, and leaves those of a process.
func (p *pvWatch) end() {
	if p.watch.followsAny() {
		p.display.Break()
	} else {
		p.display.Stop()
	}
}

// rows is a line for each file.
func (p *pvWatch) rows(f meter.Frame) (rows []string) {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	for _, file := range p.watch.files {
		st := file.meter.State(f.Now)
		if st.Waiting {
			continue
		}
		line := p.line
		if file.target.fd < 0 || p.look.Name != "" || p.formatText != nil {
			line = p.named
		}
		line.Name = fmt.Sprintf("%4d:%s", file.fd, pvShortened(file.name, f.Width))
		rows = append(rows, line.Line(st, meter.Seen{}, f.Width))
	}
	return rows
}

// pvShortened cuts the middle out of a path that is longer than half the line,
// as pv does.
func pvShortened(path string, width int) string {
	limit := max(width/2-6, 6)
	if len(path) <= limit || !utf8.ValidString(path) {
		return path
	}
	head := limit / 4
	return path[:head] + "..." + path[len(path)-(limit-3-head):]
}
