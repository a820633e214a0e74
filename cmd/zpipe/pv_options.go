package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
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
	look       meter.Look

	tail                            int // of -A
	quiet, wait, force, cursor      bool
	statistics, conemu, windowTitle bool
	titleFormat                     *string
	delay, interval, window         time.Duration
	width                           int

	size                 int64
	sized, stop          bool
	nothing              bool // the size is given as 0
	null                 bool // lines end in a NUL byte
	output, pidFile      string
	rate                 float64
	bufferSize, pipe     int
	noSplice             bool
	skip                 int // how often -E is given
	skipBlock            int64
	sync, direct, sparse bool
	discard              bool
	storeFile            string
	watched              []string
}

// pvShows are the options that name a part of the line, in pv's order in the
// default format.
var pvShows = []struct{ option, part string }{
	{"name", "%N"}, {"bytes", "%b"}, {"buffer-percent", "%T"}, {"timer", "%t"}, {"rate", "%r"}, {"average-rate", "%a"},
	{"progress", "%p"}, {"eta", "%e"}, {"fineta", "%I"}, {"last-written", "%A"},
}

// notInPV says why an option of pv is an error.
var notInPV = map[string]string{
	"remote":  "zpipe takes no settings from another process: stop it and start it anew",
	"query":   "zpipe answers no other process: send it SIGUSR1, or watch its files with -d",
	"monitor": "write pv | COMMAND | pv, or zpipe run",
}

func readPVOptions(inv *tool.Invocation) (pvOptions, error) {
	o := pvOptions{shown: map[string]bool{}, window: 30 * time.Second, interval: time.Second}
	o.look.Bar, _ = meter.ParseBarStyle("plain")
	for _, given := range inv.Line.Options {
		if why, ok := notInPV[given.Name]; ok {
			return o, fmt.Errorf("%s is not supported: %s", given.Spelled, why)
		}
		if err := o.read(given); err != nil {
			return o, err
		}
	}
	if o.skipBlock > 0 && o.skip == 0 {
		o.skipBlock = 0
	}
	if o.watched != nil {
		o.watched = append(o.watched, inv.Operands...)
	}
	return o, nil
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
		_, err = pvInteger(text)
	case "name":
		o.look.Name, o.look.Named = text, true
	case "bar-style":
		var ok bool
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
		o.pidFile = text
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
		o.output = text
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
		o.storeFile = text
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

var (
	errNotUnderstood = errors.New("numeric value not understood")
	errNoNumber      = errors.New("numeric argument expected")
	errNoInteger     = errors.New("integer argument expected")
)

// isDecimal reports whether a text is digits, with a point behind the first.
func isDecimal(text string) bool {
	whole, fraction, _ := strings.Cut(text, ".")
	return whole != "" && strings.Trim(whole+fraction, "0123456789") == ""
}

// quantity reads a number with a unit, K, M, G or T.
func (o *pvOptions) quantity(text string) (float64, error) {
	base, power := 1024.0, 0
	if o.look.SI {
		base = 1000
	}
	if text != "" {
		power = strings.Index("KMGT", strings.ToUpper(text[len(text)-1:])) + 1
	}
	if power > 0 {
		text = text[:len(text)-1]
	}
	if !isDecimal(text) {
		return 0, errNotUnderstood
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "."), 64)
	return v * math.Pow(base, float64(power)), err
}

func (o *pvOptions) bytes(text string) (int64, error) {
	v, err := o.quantity(text)
	return int64(min(v, math.MaxInt64/2)), err
}

func (o *pvOptions) readSize(text string) (int64, error) {
	if strings.HasPrefix(text, "@") {
		return readSize(text)
	}
	return o.bytes(text)
}

func pvInteger(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errNoInteger
	}
	return int(n), nil
}

func pvSeconds(text string) (time.Duration, error) {
	if !isDecimal(text) {
		return 0, errNoNumber
	}
	return tool.Seconds("interval", strings.TrimSuffix(text, "."))
}

// readExtra reads -x: a list of places, and a format.
func (o *pvOptions) readExtra(text string) error {
	places, format, hasFormat := strings.Cut(text, ":")
	for place := range strings.SplitSeq(places, ",") {
		switch place {
		case "windowtitle", "window":
			o.windowTitle = true
		case "processtitle", "proctitle", "process", "proc":
			return errors.New("the title of a process cannot be set here")
		default:
			return errors.New("no such display")
		}
	}
	if hasFormat {
		o.titleFormat = &format
	}
	return nil
}

// formatFor is the format of the line, by the options that name parts or as -F
// has it. Without a total there is no time left to show.
func (o *pvOptions) formatFor(total bool) string {
	if o.formatText != nil {
		return *o.formatText
	}
	if o.look.Numeric {
		return o.withConemu(o.numericFormat())
	}
	shown := o.shown
	if len(shown) == 0 {
		shown = map[string]bool{"progress": true, "timer": true, "eta": true, "rate": true, "bytes": true}
	}
	var parts []string
	for _, s := range pvShows {
		switch {
		case s.option == "name" && o.look.Named:
			parts = append(parts, s.part)
		case !shown[s.option], !total && (s.option == "eta" || s.option == "fineta"):
		case s.option == "last-written":
			parts = append(parts, fmt.Sprintf("%%%dA", o.tail))
		default:
			parts = append(parts, s.part)
		}
	}
	return o.withConemu(strings.Join(parts, " "))
}

// withConemu adds what -9 asks for.
func (o *pvOptions) withConemu(format string) string {
	if o.conemu {
		return format + "%{progress-conemu}"
	}
	return format
}

func (o *pvOptions) numericFormat() string {
	var parts []string
	for _, s := range []struct{ option, part string }{{"timer", "%t"}, {"bytes", "%b"}, {"rate", "%r"}} {
		if o.shown[s.option] {
			parts = append(parts, s.part)
		}
	}
	if !o.shown["bytes"] && !o.shown["rate"] {
		parts = append(parts, "%{progress-amount-only}")
	}
	return strings.Join(parts, " ")
}

// coloursOn reports whether the terminal has colours, as far as its name tells.
func coloursOn() bool {
	term := os.Getenv("TERM")
	return term != "" && term != "dumb" && !strings.HasPrefix(term, "vt")
}
