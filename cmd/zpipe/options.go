package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/tool"
)

// A use is one of the things that zpipe can be asked to do. Values can be joined
// to a set.
type use uint8

const (
	relaying use = 1 << iota // SOURCE to SINK
	serving                  // --serve
	running                  // run COMMAND...
	watching                 // -d

	anyRelay = relaying | serving
	showing  = relaying | serving | running | watching
)

// uses says how messages call what an option is for.
var uses = []struct {
	use
	text string
}{
	{relaying, "a relay from SOURCE to SINK"}, {serving, "--serve"}, {running, "run"}, {watching, "-d"},
}

func (u use) String() string {
	var texts []string
	for _, one := range uses {
		if u&one.use != 0 {
			texts = append(texts, one.text)
		}
	}
	if last := len(texts) - 1; last > 0 {
		return strings.Join(texts[:last], ", ") + " and " + texts[last]
	}
	return strings.Join(texts, "")
}

// useOf is what a command line asks for.
func useOf(inv *tool.Invocation) use {
	switch {
	case inv.Flags.IsSet("watchfd"):
		return watching
	case len(inv.Operands) > 0 && inv.Operands[0] == runWord:
		return running
	case inv.Flags.Bool("serve"):
		return serving
	}
	return relaying
}

// endsOptions reports whether the last operand ends the options: the first
// command of run does, as with env(1), for what follows are its options.
func endsOptions(operands []string, posixlyCorrect bool) bool {
	if operands[0] == runWord {
		return len(operands) > 1
	}
	return posixlyCorrect
}

// An option is an option of zpipe, and where it may be given.
type option struct {
	flag  cli.Flag
	where use
	needs string // another option that has to be given as well
}

// options are all options of zpipe but those that every tool has.
func options() []option {
	return []option{
		{&cli.BoolFlag{Name: "both", Usage: "relay in both directions; one that ends is shut down, and the other goes on"}, anyRelay, ""},
		{&cli.BoolFlag{Name: "serve", Usage: "relay every connection to what is opened for it alone, until SIGTERM"}, serving, ""},
		{&cli.StringFlag{Name: "max-connections", Usage: "with --serve, relay at most `N` connections at a time (default 1000)"}, serving, ""},
		{&cli.StringFlag{Name: "grace", Usage: "wait at most `SECONDS` for connections, commands and bytes on their way that are cut off (default 10)"}, anyRelay, ""},
		{&cli.StringFlag{Name: "linger", Usage: "with --both, go on with standard input for `SECONDS` of silence when the peer has ended (default 0.5)"}, anyRelay, "both"},
		{&cli.StringFlag{Name: "timeout", Usage: "give up connecting, and a relay in which nothing moves, after `SECONDS`"}, anyRelay, ""},
		{&cli.StringFlag{Name: "pipe-size", Usage: "raise pipes to `SIZE` bytes at least (default 1M), as far as the kernel allows"}, anyRelay | running, ""},
		{&cli.StringFlag{Name: "stderr", Usage: "with a display, have what commands say appear above it (`HOW`: lines), or leave their standard error alone (direct)"}, running, ""},

		{&cli.StringFlag{Name: "size", Aliases: []string{"s"}, Usage: "take `SIZE` for the whole, in bytes or with a unit, 1.5G; @FILE is the size of a file or tree"}, anyRelay | watching, ""},
		{&cli.BoolFlag{Name: "stop-at-size", Aliases: []string{"S"}, Usage: "stop when the SIZE of -s, of the source or of the device has passed"}, anyRelay, ""},
		{&cli.StringFlag{Name: "rate-limit", Aliases: []string{"L"}, Usage: "let at most `RATE` bytes pass a second, evenly; 0 is no limit; RATE,all is for all connections together"}, anyRelay, ""},
		{&cli.StringFlag{Name: "buffer", Usage: "hold up to `SIZE` bytes for a SINK that is slow, in pipes, or in memory beyond what these hold"}, anyRelay, ""},
		{&cli.StringFlag{Name: "buffer-total", Usage: "with --serve, hold at most `SIZE` bytes in all buffers together (default a quarter of the memory)"}, serving, "buffer"},
		{&cli.StringFlag{Name: "fill", Usage: "let nothing pass before `PERCENT` of the buffer is filled, nor when it has run empty"}, anyRelay, "buffer"},
		{&cli.StringFlag{Name: "stall", Usage: "say so when nothing has passed for `SECONDS`, and what is waited for"}, relaying, ""},

		{&cli.BoolFlag{Name: "progress", Aliases: []string{"p"}, Usage: "show a progress bar"}, showing, ""},
		{&cli.BoolFlag{Name: "timer", Aliases: []string{"t"}, Usage: "show the time that has gone by"}, showing, ""},
		{&cli.BoolFlag{Name: "eta", Aliases: []string{"e"}, Usage: "show the time that is left"}, showing, ""},
		{&cli.BoolFlag{Name: "fineta", Aliases: []string{"I"}, Usage: "show the time of day of the end"}, showing, ""},
		{&cli.BoolFlag{Name: "rate", Aliases: []string{"r"}, Usage: "show the current rate"}, showing, ""},
		{&cli.BoolFlag{Name: "average-rate", Aliases: []string{"a"}, Usage: "show the rate over the last 30 seconds"}, showing, ""},
		{&cli.BoolFlag{Name: "bytes", Aliases: []string{"b"}, Usage: "show how many bytes have passed"}, showing, ""},
		{&cli.BoolFlag{Name: "numeric", Aliases: []string{"n"}, Usage: "show numbers for programs, a line each time: the percentage, or what -t, -b and -r ask for"}, relaying | watching, ""},
		{&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "show nothing"}, showing, ""},
		{&cli.BoolFlag{Name: "wait", Aliases: []string{"W"}, Usage: "show nothing before the first byte"}, anyRelay, ""},
		{&cli.StringFlag{Name: "delay-start", Aliases: []string{"D"}, Usage: "show nothing in the first `SEC` seconds"}, showing, ""},
		{&cli.StringFlag{Name: "interval", Aliases: []string{"i"}, Usage: "update the display every `SEC` seconds, from 0.1 to 600 (1)"}, showing, ""},
		{&cli.StringFlag{Name: "name", Aliases: []string{"N"}, Usage: "put `NAME` in front"}, anyRelay | watching, ""},
		{&cli.StringFlag{Name: "width", Aliases: []string{"w"}, Usage: "use `COLUMNS` columns instead of the terminal's width"}, showing, ""},
		{&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "show it also where standard error is no terminal"}, showing, ""},
		{&cli.StringFlag{Name: "watchfd", Aliases: []string{"d"}, Usage: "relay nothing, but show how far process `PID`, or PID:FD, has come in its files"}, watching, ""},
		{&cli.BoolFlag{Name: "cursor", Aliases: []string{"c"}, Usage: "accepted as pv does; the displays of a pipeline share the terminal anyway"}, showing, ""},

		{&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "display this help and exit"}, showing, ""},
		{&cli.BoolFlag{Name: "version", Aliases: []string{"V"}, Usage: "output version information and exit"}, showing, ""},
	}
}

// common says where the options of all tools may be given.
var common = map[string]use{"method": anyRelay, "stats": anyRelay | running}

func flags() (all []cli.Flag) {
	for _, o := range options() {
		all = append(all, o.flag)
	}
	return all
}

// checkOptions returns a usage error for an option that does not belong where it
// is given, or whose value is empty.
func checkOptions(inv *tool.Invocation) error {
	where, needs := map[string]use{}, map[string]string{}
	for name, u := range common {
		where[name] = u
	}
	for _, o := range options() {
		name := o.flag.Names()[0]
		where[name], needs[name] = o.where, o.needs
	}
	asked := useOf(inv)
	for _, given := range inv.Line.Options {
		needed := needs[given.Name]
		switch {
		case where[given.Name]&asked == 0:
			return tool.UsageErrorf("--%s is not for %v, but for %v", given.Name, asked, where[given.Name])
		case given.HasValue && given.Value == "":
			return tool.UsageErrorf("the value of --%s is empty", given.Name)
		case needed != "" && !inv.Flags.IsSet(needed):
			return tool.UsageErrorf("--%s needs --%s", given.Name, needed)
		}
	}
	return nil
}
