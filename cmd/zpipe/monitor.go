package main

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
	"zeroutils/internal/signals"
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
	display  atomic.Pointer[meter.Display]
	activity splice.Activity
	doing    func() string // what the relay is at, for who asks
	begun    atomic.Pointer[begun]
	stalls   *stalls
}

// begun is a relay whose source and sink are open.
type begun struct {
	meter *meter.Meter
	at    time.Time
}

// newMonitor reads the options. Errors are usage errors, or of files that sizes
// are taken from.
func newMonitor(inv *tool.Invocation) (*monitor, error) {
	v, err := newView(inv)
	if err != nil {
		return nil, err
	}
	f, err := newFlow(inv)
	m := &monitor{inv: inv, view: v, flow: f}
	m.doing = m.copying
	inv.Suspend = func(print func()) { m.display.Load().Suspend(print) }
	return m, err
}

// start begins to follow a relay.
func (m *monitor) start() {
	m.count(m.flow.size)
	if m.view.on {
		m.show(m.view.source(m.meter))
	}
	m.stalls = watchForStalls(m)
}

// count begins to count the bytes of a relay that will take so many in all; 0 is
// unknown.
func (m *monitor) count(total int64) {
	m.meter = m.view.meter(total)
	m.begun.Store(&begun{m.meter, time.Now()})
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

// answersAfter is from when on SIGUSR1 is answered, in milliseconds. The
// runtime takes 0.3 ms to be ready for a signal, which a relay that is over by
// then need not pay.
const answersAfter = 20

func (m *monitor) answerSoon() {
	_, _ = unix.Poll(nil, answersAfter) // not a timer, which takes the runtime a descriptor
	m.answer()
}

// answer says on SIGUSR1 from now on how far the relay is, also while it waits.
func (m *monitor) answer() {
	asked := make(chan os.Signal, 1)
	signals.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			if b := m.begun.Load(); b != nil {
				m.inv.Warnf("%d bytes in %s s: %s", b.meter.Count(), seconds(time.Since(b.at)), m.doing())
			} else {
				m.inv.Warnf("waiting for the source and the sink to be there")
			}
		}
	}()
}

// copying says what a relay of one source to one sink is at.
func (m *monitor) copying() string {
	switch m.activity.State() {
	case splice.Reading:
		return "waiting for input"
	case splice.Writing:
		return "waiting for output"
	case splice.Throttled:
		return "held back by the rate limit"
	}
	return "moving"
}

// show draws on standard error until stop, or until a signal ends the process.
func (m *monitor) show(rows meter.Source) {
	m.draw(rows)
	if display := m.display.Load(); display != nil {
		signals.Cleanup(display.Stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	}
}

// draw draws on standard error until stop. What ends the process for want of a
// reader then has to do so in order.
func (m *monitor) draw(rows meter.Source) {
	if display := meter.Start(m.view.options, rows); display != nil {
		m.display.Store(display)
		signals.CatchPipe()
	}
}

// stop draws the last state.
func (m *monitor) stop() {
	m.stalls.stop()
	m.display.Load().Stop()
}
