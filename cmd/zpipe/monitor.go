package main

import (
	"syscall"

	"zeroutils/internal/atexec"
	"zeroutils/internal/meter"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A monitor follows a relay: it shows how far that has come, and says when it
// stalls. One that has nothing to show or to say costs the relay nothing.
type monitor struct {
	inv      *tool.Invocation
	view     view
	flow     flow
	meter    *meter.Meter
	display  *meter.Display
	activity splice.Activity
	stalls   *stalls
}

// newMonitor reads the options. Errors are usage errors, or of files that sizes
// are taken from.
func newMonitor(inv *tool.Invocation) (*monitor, error) {
	v, err := newView(inv)
	if err != nil {
		return nil, err
	}
	f, err := newFlow(inv)
	return &monitor{inv: inv, view: v, flow: f}, err
}

// start begins to follow a relay that takes its bytes from src.
func (m *monitor) start(src *splice.Descriptor) {
	if !m.view.on && m.flow.stall == 0 {
		return
	}
	m.meter = m.view.meter(m.flow.total(src))
	if m.view.on {
		m.show(m.view.source(m.meter))
	}
	m.stalls = watchForStalls(m)
}

// follow sets the options of one way of the relay.
func (m *monitor) follow(o *splice.Options) {
	m.flow.apply(o)
	if m.meter != nil {
		o.Activity = &m.activity
		o.Progress = func(n int64) error {
			m.meter.Add(n)
			return nil
		}
	}
}

// show draws on standard error until stop, or until a signal ends the process.
// What ends it for want of a reader then has to do so in order.
func (m *monitor) show(rows meter.Source) {
	m.display = meter.Start(m.view.options, rows)
	if m.display == nil {
		return
	}
	m.inv.Interject = m.display.Interject
	atexec.BeforeDying(m.display.Stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	atexec.SurvivePipes()
}

// stop draws the last state.
func (m *monitor) stop() {
	m.stalls.stop()
	m.display.Stop()
}
