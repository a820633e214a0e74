package main

import (
	"time"

	"zeroutils/internal/meter"
)

// begin makes the meter, and shows it.
func (p *pv) begin(total int64) {
	p.left = -1
	if p.stop && (p.sized || p.nothing) {
		p.left = p.size
	}
	p.mu.Lock()
	p.meter = meter.NewLikePV(total, p.window, p.wait)
	p.look.Colours = coloursOn()
	format := meter.ParseFormat(p.formatFor(total > 0 || p.storeFile != nil), p.look)
	p.line = format
	p.longest = format.LongestTail()
	p.keeps = format.Has("last-written", "previous-line")
	p.seen.Buffer = p.bufferState()
	p.mu.Unlock()
	draws := meter.Options{FD: 2}
	if p.quiet || p.cursor && !p.look.Numeric && !draws.Draws() || p.formatText != nil && *p.formatText == "" {
		return
	}
	o := meter.Options{
		FD: 2, Interval: p.interval, Delay: p.delay, Width: p.width, Height: p.height,
		Force: p.force, Scroll: p.look.Numeric, Shared: p.cursor, Plain: !p.cursor,
	}
	o.Behind = p.extra
	if p.processTitle {
		p.beginTitle()
	}
	p.display = meter.Start(o, p.rows)
	p.inv.Suspend = func(print func()) { p.display.Suspend(print) }
}

// bufferState is how full the buffer is: what is read is written at once, or
// there is none.
func (p *pv) bufferState() string {
	if p.noSplice || p.looks() {
		return "{  0%}"
	}
	return "{----}"
}

// rows is what is drawn.
func (p *pv) rows(f meter.Frame) []string {
	st := p.meter.State(f.Now)
	if st.Waiting {
		return nil
	}
	st.Done = f.Last
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = st
	if p.hidden {
		return nil
	}
	width := f.Width
	if p.width > 0 {
		width = p.width
	}
	return []string{p.line.Line(st, p.seen, width)}
}

// end draws the last state, and what is said of the whole. Of nothing that was
// moved there is nothing to be said.
func (p *pv) end() {
	if !p.began {
		p.display.Break()
		p.display = nil
		return
	}
	p.display.Stop()
	if p.display != nil && p.line.Has("conemu") {
		p.inv.Tell(meter.ConEmuEnd)
	}
	p.display = nil
	if p.statistics {
		unit, scale := "B/s", 1.0
		switch {
		case p.look.Lines:
			unit = "l/s"
		case p.look.Bits:
			unit, scale = "b/s", 8
		}
		p.inv.Tell(p.meter.Statistics(time.Now(), unit, scale) + "\n")
	}
}
