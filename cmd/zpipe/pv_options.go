package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/meter"
	"zeroutils/internal/tool"
)

// pvOptions are what a command line of pv asks for.
type pvOptions struct {
	shown      map[string]bool // options that say what is shown
	formatText *string         // of -F
	barStyle   string          // of look.Bar
	look       meter.Look

	tail                       int // of -A
	quiet, wait, force, cursor bool
	statistics, conemu         bool
	windowTitle, processTitle  bool
	titleFormat                *string
	delay, interval, window    time.Duration
	width, height              int

	size                 int64
	sized, stop          bool
	nothing              bool // the size is given as 0
	null                 bool // lines end in a NUL byte
	output, pidFile      *string
	rate                 float64
	bufferSize, pipe     int
	noSplice             bool
	skip                 int // how often -E is given
	skipBlock            int64
	sync, direct, sparse bool
	discard              bool
	storeFile            *string
	watched              []string
	remote, query        int // the process to be told, or asked
}

// pvShows are the options that name a part of the line, in pv's order in the
// default format.
var pvShows = []struct{ option, part string }{
	{"name", "%N"}, {"bytes", "%b"}, {"buffer-percent", "%T"}, {"timer", "%t"}, {"rate", "%r"}, {"average-rate", "%a"},
	{"progress", "%p"}, {"eta", "%e"}, {"fineta", "%I"}, {"last-written", "%A"},
}

// errNoMonitor is why there is no -M.
var errNoMonitor = errors.New("is not supported: write pv | COMMAND | pv, or zpipe run")

func readPVOptions(inv *tool.Invocation) (pvOptions, error) {
	o := pvOptions{shown: map[string]bool{}, window: 30 * time.Second, interval: time.Second}
	o.barStyle = "plain"
	o.look.Bar, _ = meter.ParseBarStyle(o.barStyle)
	for _, given := range inv.Line.Options {
		if given.Name == "monitor" {
			return o, fmt.Errorf("%s %w", given.Spelled, errNoMonitor)
		}
		if err := o.read(given); err != nil {
			return o, err
		}
	}
	if o.skipBlock > 0 && o.skip == 0 {
		o.skipBlock = 0
	}
	if o.remote > 0 || o.query > 0 {
		return o, o.canAsk(inv)
	}
	if o.watched != nil {
		o.watched = append(o.watched, inv.Operands...)
		return o, o.canWatch()
	}
	return o, nil
}

// notRemote are options that mean nothing for another pv.
var notRemote = map[string]bool{
	"watchfd": true, "output": true, "buffer-size": true, "no-splice": true, "pipe-buffer-size": true,
	"skip-errors": true, "error-skip-block": true, "stop-at-size": true, "sync": true, "direct-io": true, "sparse": true,
	"discard": true, "store-and-forward": true, "pidfile": true, "line-mode": true, "null": true,
}

// notChanged are options that a pv that runs cannot take any more.
var notChanged = map[string]bool{
	"numeric": true, "wait": true, "delay-start": true, "average-rate-window": true, "stats": true, "force": true, "cursor": true,
}

// canAsk returns an error for what does not go with -R and -Q.
func (o *pvOptions) canAsk(inv *tool.Invocation) error {
	option := "-R"
	if o.query > 0 {
		option = "-Q"
	}
	if len(inv.Operands) > 0 {
		return fmt.Errorf("%s: files cannot be specified with this option", option)
	}
	for _, given := range inv.Line.Options {
		switch {
		case notRemote[given.Name], o.query > 0 && given.Name == "rate-limit":
			return fmt.Errorf("%s: only the display and the rate can be changed, not %s", option, given.Spelled)
		case o.remote > 0 && notChanged[given.Name]:
			return fmt.Errorf("%s: %s cannot be changed while a transfer runs", option, given.Spelled)
		}
	}
	return nil
}

// canWatch returns an error for what does not go with -d.
func (o *pvOptions) canWatch() error {
	switch {
	case o.output != nil:
		return errors.New("-o: cannot transfer files when watching file descriptors")
	case o.look.Lines || o.rate > 0 || o.skip > 0 || o.bufferSize > 0 || o.stop:
		return errors.New("cannot use line mode or transfer modifier options when watching file descriptors")
	case o.cursor:
		return errors.New("cannot use cursor positioning when watching file descriptors")
	}
	return nil
}

// read takes one option. The error is in pv's words.
func (o *pvOptions) read(given gnuflag.Option) (err error) {
	text := given.Value
	switch given.Name {
	case "progress", "timer", "eta", "fineta", "rate", "average-rate", "bytes":
		o.shown[given.Name] = true
	case "buffer-percent":
		o.shown[given.Name], o.noSplice = true, true
	case "last-written":
		o.shown[given.Name], o.noSplice = true, true
		o.tail, err = pvInteger(text)
	case "format":
		o.formatText = &text
	case "numeric":
		o.look.Numeric = true
	case "quiet":
		o.quiet = true
	case "bits":
		o.look.Bits, o.shown["bytes"] = true, true
	case "si":
		o.look.SI = true
	case "wait":
		o.wait = true
	case "delay-start":
		o.delay, err = pvSeconds(text)
	case "size":
		o.size, err = o.readSize(text)
		o.sized, o.nothing = o.size > 0, o.size == 0
	case "gauge":
		o.look.Gauge = true
	case "line-mode":
		o.look.Lines = true
	case "null":
		o.look.Lines, o.null = true, true
	case "interval":
		o.interval, err = pvSeconds(text)
		o.interval = min(max(o.interval, shortestInterval), longestInterval)
	case "average-rate-window":
		var seconds int
		seconds, err = pvInteger(text)
		o.window = time.Duration(max(seconds, 1)) * time.Second
	case "width":
		o.width, err = pvInteger(text)
		o.width = min(o.width, widest)
	case "height":
		o.height, err = pvInteger(text)
	case "name":
		o.look.Name, o.look.Named = text, true
	case "bar-style":
		var ok bool
		o.barStyle = text
		if o.look.Bar, ok = meter.ParseBarStyle(text); !ok {
			err = errors.New("no such style")
		}
	case "extra-display":
		err = o.readExtra(text)
	case "conemu":
		o.conemu = true
	case "stats":
		o.statistics = true
	case "force":
		o.force = true
	case "cursor":
		o.cursor = true
	case "watchfd":
		o.watched = append(o.watched, text)
	case "pidfile":
		o.pidFile = &text
	case "remote":
		o.remote, err = pvProcess(text)
	case "query":
		o.query, err = pvProcess(text)
	default:
		err = o.readTransfer(given.Name, text)
	}
	if err != nil && strings.HasPrefix(text, "@") && given.Name == "size" {
		return err // it names the file
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", "-"+pvLetter(given.Name), text, err)
	}
	return nil
}

// readTransfer takes an option of how the data is moved.
func (o *pvOptions) readTransfer(name, text string) (err error) {
	var n int64
	switch name {
	case "output":
		o.output = &text
	case "rate-limit":
		o.rate, err = o.quantity(text)
	case "buffer-size":
		n, err = o.bytes(text)
		o.bufferSize, o.noSplice = int(min(n, 1<<30)), true
	case "no-splice":
		o.noSplice = true
	case "pipe-buffer-size":
		n, err = o.bytes(text)
		o.pipe = int(min(n, 1<<30))
	case "skip-errors":
		o.skip++
	case "error-skip-block":
		o.skipBlock, err = o.bytes(text)
	case "stop-at-size":
		o.stop = true
	case "sync":
		o.sync = true
	case "direct-io":
		o.direct = true
	case "sparse":
		o.sparse, o.noSplice = true, true
	case "discard":
		o.discard = true
	case "store-and-forward":
		o.storeFile = &text
	}
	return err
}

// pvLetter is the one-letter name that pv's messages call an option by.
func pvLetter(name string) string {
	for _, f := range pvCommand().Flags {
		if names := f.Names(); names[0] == name {
			return names[1]
		}
	}
	return name
}

// readExtra reads -x: a list of places, and a format.
func (o *pvOptions) readExtra(text string) error {
	places, format, hasFormat := strings.Cut(text, ":")
	for place := range strings.SplitSeq(places, ",") {
		switch place {
		case "windowtitle", "window":
			o.windowTitle = true
		case "processtitle", "proctitle", "process", "proc":
			o.processTitle = true
		default:
			return errors.New("no such display")
		}
	}
	if hasFormat {
		o.titleFormat = &format
	}
	return nil
}
