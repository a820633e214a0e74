package main

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/atexec"
	"zeroutils/internal/meter"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A monitor follows a relay: it shows how far that has come, says so when it is
// asked by SIGUSR1, and when the relay stalls.
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
	m.meter = m.view.meter(m.flow.total(src))
	if m.view.on {
		m.show(m.view.source(m.meter))
	}
	m.stalls = watchForStalls(m)
	begin := time.Now()
	go func() {
		_, _ = unix.Poll(nil, answersAfter) // not a timer, which takes the runtime a descriptor
		m.answer(begin)
	}()
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

// answersAfter is from when on SIGUSR1 is understood, in milliseconds. The
// runtime takes 0.3 ms to be ready for a signal, which a relay that is over by
// then need not pay.
const answersAfter = 20

// answer says on SIGUSR1 how far the relay is, also while it waits.
func (m *monitor) answer(begin time.Time) {
	asked := make(chan os.Signal, 1)
	atexec.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			m.inv.Warnf("%d bytes in %s s: %s", m.meter.Count(), seconds(time.Since(begin)), m.doing())
		}
	}()
}

// doing says what the relay is at.
func (m *monitor) doing() string {
	switch m.activity.Now() {
	case splice.Reading:
		return "waiting for input"
	case splice.Writing:
		return "waiting for output"
	case splice.Holding:
		return "held back by the rate limit"
	}
	return "moving"
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
