package main

import (
	"syscall"

	"zeroutils/internal/meter"
	"zeroutils/internal/signals"
)

// showProgress draws how many bytes every output has, the time and the rate.
// Without --progress, and where standard error is no terminal, it does nothing.
func (t *tee) showProgress() {
	if !t.inv.Flags.Bool("progress") {
		return
	}
	m := meter.New(0)
	style := meter.Style{Fields: meter.Count | meter.Elapsed | meter.Rate}
	t.display = meter.Start(meter.Options{FD: 2, Shared: true}, meter.Row(m, style))
	if t.display == nil {
		return
	}
	t.arrived = func(n int64) error {
		m.Add(n)
		return nil
	}
	t.inv.Suspend = t.display.Suspend
	deadly := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !t.inv.Flags.Bool("reopen") {
		deadly = append(deadly, syscall.SIGHUP)
	}
	signals.Cleanup(t.display.Stop, deadly...)
}

// die ends the process by a signal, with the terminal in order.
func (t *tee) die(sig syscall.Signal) {
	t.display.Stop()
	signals.Die(sig)
}
