package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"zeroutils/internal/meter"
	"zeroutils/internal/splice"
)

// show draws a line for each stage: the bytes that have left it, or, of the
// last, that have come to it.
func (p *pipeline) show() {
	if !p.shown {
		return
	}
	p.monitor.view.withoutEnd()
	p.monitor.view.options.Shared = false // it has several rows
	p.monitor.draw(p.rows)
	go func() {
		for range time.Tick(samplePeriod) {
			for _, j := range p.joints {
				j.waits.sample(j.activity.Now())
			}
		}
	}()
}

// samplePeriod is how often is looked at what the relays wait for.
const samplePeriod = 20 * time.Millisecond

// widestName is how many columns the names of the stages get at most.
const widestName = 24

// rows is a line for each stage.
func (p *pipeline) rows(f meter.Frame) (rows []string) {
	share := make([]wait, len(p.joints))
	for i, j := range p.joints {
		share[i] = j.waits.most()
	}
	nameWidth := 0
	for _, s := range p.stages {
		nameWidth = max(nameWidth, min(len(s.name()), widestName))
	}
	for i, s := range p.stages {
		style := p.monitor.view.style
		style.Name, style.NameWidth = s.name(), nameWidth
		text := p.state(i, share, f.Width < roomy)
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

func (s *stage) name() string { return strings.Join(s.argv, " ") }

// counter is the meter for a stage, if there is a relay beside it.
func (p *pipeline) counter(i int) *meter.Meter {
	if len(p.joints) == 0 {
		return nil
	}
	return p.joints[min(i, len(p.joints)-1)].meter
}

// state says what a stage is at: the one that neither waits for its input nor
// for its output is the one that the others wait for.
func (p *pipeline) state(i int, share []wait, short bool) string {
	text := [2]string{"working", "works"}
	switch s := p.stages[i]; {
	case s.over():
		text = [2]string{s.brief(), s.brief()}
	case i < len(share) && share[i] == forSink:
		text = [2]string{"waiting for output", "output"}
	case i > 0 && i <= len(share) && share[i-1] == forSource:
		text = [2]string{"waiting for input", "input"}
	}
	if short {
		return text[1]
	}
	return text[0]
}

// over reports whether the stage has ended.
func (s *stage) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended || s.err != nil
}

// brief is how the stage ended, in one word.
func (s *stage) brief() string {
	if s.status() == 0 {
		return "done"
	}
	if s.err == nil && s.how.Signaled() {
		return fmt.Sprintf("signal %d", int(s.how.Signal()))
	}
	return fmt.Sprintf("status %d", s.status())
}

// A wait is what a relay mostly waits for.
type wait int

const (
	forNeither wait = iota
	forSource
	forSink
)

// waits counts what was seen of a relay since it was last asked.
type waits struct{ seen [3]atomic.Int64 }

func (w *waits) sample(d splice.Doing) {
	switch d {
	case splice.Reading:
		w.seen[forSource].Add(1)
	case splice.Writing:
		w.seen[forSink].Add(1)
	default:
		w.seen[forNeither].Add(1)
	}
}

// most is what was seen most often, and begins anew.
func (w *waits) most() wait {
	best, most := forNeither, int64(0)
	for i := range w.seen {
		if n := w.seen[i].Swap(0); n > most {
			best, most = wait(i), n
		}
	}
	return best
}
