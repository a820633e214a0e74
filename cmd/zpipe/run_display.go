package main

import "zeroutils/internal/meter"

// show draws a line for each stage: the bytes that have left it, or, of the
// last, that have come to it.
func (p *pipeline) show() {
	if !p.shown {
		return
	}
	p.monitor.view.withoutEnd()
	p.monitor.view.options.Shared = false // it has several rows
	p.monitor.draw(p.rows)
}

// rows is a line for each stage.
func (p *pipeline) rows(f meter.Frame) (rows []string) {
	nameWidth := 0
	for _, s := range p.stages {
		nameWidth = max(nameWidth, meter.Columns(s.label()))
	}
	for i, s := range p.stages {
		style := p.monitor.view.style
		style.Name, style.NameWidth = s.label(), nameWidth
		text := s.doing(f.Width < roomy)
		line := ""
		if counter := p.counter(i); counter != nil {
			st := counter.State(f.Now)
			st.Done = f.Last
			line = style.Line(st, f.Width-len(text)-1)
		} else {
			style.Fields = 0
			line = style.Line(meter.State{}, f.Width-len(text)-1)
		}
		rows = append(rows, line+" "+text)
	}
	return rows
}

// roomy is the width from which on states are written in full.
const roomy = 60

// counter is the meter for a stage, if there is a relay beside it.
func (p *pipeline) counter(i int) *meter.Meter {
	if len(p.joints) == 0 {
		return nil
	}
	return p.joints[min(i, len(p.joints)-1)].meter
}

// doing says what a stage has been at since the last drawing, or how it ended.
// The one that works is the one that the others wait for.
func (s *stage) doing(short bool) string {
	d := s.spent.mostly()
	switch {
	case s.over():
		return s.brief()
	case short:
		return d.brief()
	}
	return d.String()
}
