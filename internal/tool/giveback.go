package tool

import (
	"slices"
	"syscall"

	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
)

// deadly are the signals that another process may send to end this one, but
// SIGKILL, and SIGUSR1, which tools that share files have a use for.
var deadly = []syscall.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR2,
	syscall.SIGALRM, syscall.SIGVTALRM, syscall.SIGXCPU, syscall.SIGIO, syscall.SIGPWR,
}

// GiveBackBeforeDying has a Copier give back, before a signal ends the process,
// what it has claimed of a file that other processes write to or read, too. The
// signals named do something else in this program. Nothing is set up before a
// file of that kind is copied.
func GiveBackBeforeDying(c *splice.Copier, except ...syscall.Signal) {
	c.BeforeClaims(func() {
		signals.Cleanup(c.GiveBack, slices.DeleteFunc(slices.Clone(deadly), func(sig syscall.Signal) bool {
			return slices.Contains(except, sig)
		})...)
	})
}
