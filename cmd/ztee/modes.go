package main

import (
	"errors"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// outputErrors are the words of --output-error, in the order of GNU tee's help.
var outputErrors = []string{"warn", "warn-nopipe", "exit", "exit-nopipe"}

// A mode is what happens when an output fails.
type mode struct {
	dies    bool // of a broken pipe, as programs do unless told otherwise
	exits   bool // the first error that counts ends the run
	nopipe  bool // a broken pipe is no error, only an output less
	watches bool // and is noticed before there is more input
}

// modeOf takes --output-error or -p, whichever was given last. Without them tee
// is silent about a broken pipe also where its parent had SIGPIPE ignored.
func modeOf(inv *tool.Invocation) mode {
	given, ok := inv.Line.Last("output-error", "p")
	if !ok {
		return mode{dies: signals.Fatal(syscall.SIGPIPE), nopipe: true}
	}
	word := given.Value
	if given.Name == "p" {
		word = "warn-nopipe"
	}
	nopipe := word == "warn-nopipe" || word == "exit-nopipe"
	return mode{exits: word == "exit" || word == "exit-nopipe", nopipe: nopipe, watches: nopipe}
}

// firstRound is how many bytes the outputs get before all of them have shown that
// they take some; 0 is no limit. In the modes that exit, an output that fails at
// once, such as a full disk, leaves the others little. GNU tee has 8 KiB.
func (m mode) firstRound() int {
	if m.exits {
		return 64 << 10
	}
	return 0
}

// apply sets how the process takes SIGPIPE. With a display on the terminal it
// dies by its own hand, after putting that in order.
func (m mode) apply(display bool) {
	if !m.dies || display {
		signal.Ignore(syscall.SIGPIPE)
	}
}

// forgives reports whether an output may fail as it did without anybody being
// told.
func (m mode) forgives(s *splice.Sink) bool {
	return m.nopipe && (s.Kind == splice.Pipe || s.Kind == splice.Socket) && errors.Is(s.Err, unix.EPIPE)
}
