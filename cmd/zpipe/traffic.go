package main

import (
	"fmt"

	"zeroutils/internal/meter"
)

// show counts what all connections move, and draws one line for them together.
func (v *server) show() {
	m := v.monitor
	m.doing = v.connections
	m.count(0)
	if m.view.on {
		m.view.withoutEnd()
		m.draw(v.rows)
	}
}

// connections says how many there are, and how many there were.
func (v *server) connections() string {
	open, ever := v.counts()
	return fmt.Sprintf("%d open, %d in all", open, ever)
}

func (v *server) counts() (open int, ever int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open, v.served + int64(v.open)
}

func (v *server) rows(f meter.Frame) []string {
	st := v.monitor.meter.State(f.Now)
	if st.Waiting {
		return nil
	}
	st.Done = f.Last
	text := v.connections()
	if f.Width < roomy {
		open, ever := v.counts()
		text = fmt.Sprintf("%d/%d", open, ever)
	}
	return []string{v.monitor.view.style.Line(st, f.Width-len(text)-1) + " " + text}
}
