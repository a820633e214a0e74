package main

import (
	"syscall"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/tool"
)

// pvCommand is pv 1.12: what zpipe is when it is called as pv or zpv.
func pvCommand() tool.Command {
	return tool.Command{
		Name:     "zpipe",
		Synopsis: []string{"[OPTION]... [FILE]...", "[OPTION]... -d PID[:FD]|=NAME|@LISTFILE..."},
		Summary: `Write each FILE, or standard input, to standard output, and show on standard
error how far that is. Without an option of what to show, -pterb is meant.
`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "progress", Aliases: []string{"p"}, Usage: "show a progress bar"},
			&cli.BoolFlag{Name: "timer", Aliases: []string{"t"}, Usage: "show the time that has gone by"},
			&cli.BoolFlag{Name: "eta", Aliases: []string{"e"}, Usage: "show the time that is left"},
			&cli.BoolFlag{Name: "fineta", Aliases: []string{"I"}, Usage: "show the time of day of the end"},
			&cli.BoolFlag{Name: "rate", Aliases: []string{"r"}, Usage: "show the current rate"},
			&cli.BoolFlag{Name: "average-rate", Aliases: []string{"a"}, Usage: "show the average rate"},
			&cli.BoolFlag{Name: "bytes", Aliases: []string{"b"}, Usage: "show how many bytes have passed"},
			&cli.BoolFlag{Name: "buffer-percent", Aliases: []string{"T"}, Usage: "show how full the buffer is; implies -C"},
			&cli.StringFlag{Name: "last-written", Aliases: []string{"A"}, Usage: "show the last `NUM` bytes; implies -C"},
			&cli.StringFlag{Name: "format", Aliases: []string{"F"}, Usage: "show what `FORMAT` says"},
			&cli.BoolFlag{Name: "numeric", Aliases: []string{"n"}, Usage: "show numbers for programs, a line each time"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "show nothing"},
			&cli.BoolFlag{Name: "bits", Aliases: []string{"8"}, Usage: "count bits"},
			&cli.BoolFlag{Name: "si", Aliases: []string{"k"}, Usage: "show, and in later options read, units as powers of 1000"},
			&cli.BoolFlag{Name: "wait", Aliases: []string{"W"}, Usage: "show nothing before the first byte"},
			&cli.StringFlag{Name: "delay-start", Aliases: []string{"D"}, Usage: "show nothing in the first `SEC` seconds"},
			&cli.StringFlag{Name: "size", Aliases: []string{"s"}, Usage: "take `SIZE` for the whole; @FILE is the size of a file or tree"},
			&cli.BoolFlag{Name: "gauge", Aliases: []string{"g"}, Usage: "without a size, show the rate as a part of the highest"},
			&cli.BoolFlag{Name: "line-mode", Aliases: []string{"l"}, Usage: "count lines"},
			&cli.BoolFlag{Name: "null", Aliases: []string{"0"}, Usage: "count what ends in a NUL byte"},
			&cli.StringFlag{Name: "interval", Aliases: []string{"i"}, Usage: "update the display every `SEC` seconds"},
			&cli.StringFlag{Name: "average-rate-window", Aliases: []string{"m"}, Usage: "average over `SEC` seconds (30)"},
			&cli.StringFlag{Name: "width", Aliases: []string{"w"}, Usage: "use `WIDTH` columns instead of the terminal's width"},
			&cli.StringFlag{Name: "height", Aliases: []string{"H"}, Usage: "use `HEIGHT` rows instead of the terminal's height"},
			&cli.StringFlag{Name: "name", Aliases: []string{"N"}, Usage: "put `NAME` in front"},
			&cli.StringFlag{Name: "bar-style", Aliases: []string{"u"}, Usage: "draw bars in `STYLE`: plain, block, granular or shaded"},
			&cli.StringFlag{Name: "extra-display", Aliases: []string{"x"}, Usage: "show it also where `SPEC` says: windowtitle,processtitle[:FORMAT]"},
			&cli.BoolFlag{Name: "conemu", Aliases: []string{"9"}, Usage: "tell the terminal the percentage, by OSC 9;4"},
			&cli.BoolFlag{Name: "stats", Aliases: []string{"v"}, Usage: "write the lowest, mean and highest rate and its deviation at the end"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "show it also where standard error is no terminal"},
			&cli.BoolFlag{Name: "cursor", Aliases: []string{"c"}, Usage: "keep clear of the displays of other programs in the pipeline"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output"},
			&cli.StringFlag{Name: "rate-limit", Aliases: []string{"L"}, Usage: "let at most `RATE` bytes pass a second; 0 is no limit"},
			&cli.StringFlag{Name: "buffer-size", Aliases: []string{"B"}, Usage: "use a buffer of `BYTES`; implies -C"},
			&cli.BoolFlag{Name: "no-splice", Aliases: []string{"C"}, Usage: "read and write, and nothing else"},
			&cli.StringFlag{Name: "pipe-buffer-size", Aliases: []string{"J"}, Usage: "set the size of pipes to `BYTES`"},
			&cli.BoolFlag{Name: "skip-errors", Aliases: []string{"E"}, Usage: "go on behind what cannot be read; twice, say so once a file"},
			&cli.StringFlag{Name: "error-skip-block", Aliases: []string{"Z"}, Usage: "with -E, go on at the next multiple of `BYTES`"},
			&cli.BoolFlag{Name: "stop-at-size", Aliases: []string{"S"}, Usage: "stop when the size has passed"},
			&cli.BoolFlag{Name: "sync", Aliases: []string{"Y"}, Usage: "have the output on disk after each write"},
			&cli.BoolFlag{Name: "direct-io", Aliases: []string{"K"}, Usage: "read and write past the page cache"},
			&cli.BoolFlag{Name: "sparse", Aliases: []string{"O"}, Usage: "make holes of NUL bytes; implies -C"},
			&cli.BoolFlag{Name: "discard", Aliases: []string{"X"}, Usage: "write nothing"},
			&cli.StringFlag{Name: "store-and-forward", Aliases: []string{"U"}, Usage: "write everything to `FILE` first, and then from there; - is a temporary file"},
			&cli.StringFlag{Name: "watchfd", Aliases: []string{"d"}, Usage: "watch the files of `PID`, PID:FD, =NAME or what @LISTFILE lists"},
			&cli.StringFlag{Name: "remote", Aliases: []string{"R"}, Usage: "have the pv or zpv with the process ID `PID` show what the other options say"},
			&cli.StringFlag{Name: "query", Aliases: []string{"Q"}, Usage: "show how far the pv or zpv with the process ID `PID` is"},
			&cli.StringFlag{Name: "monitor", Aliases: []string{"M"}, Hidden: true},
			&cli.StringFlag{Name: "pidfile", Aliases: []string{"P"}, Usage: "write the process ID to `FILE`"},
			&cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "display this help and exit"},
			&cli.BoolFlag{Name: "version", Aliases: []string{"V"}, Usage: "output version information and exit"},
		},
		Groups: pvGroups,
		Manual: "zpv",
		Notes: `FORMAT may have %p %t %e %I %r %a %b %T %nA %nL %N %{progress}
%{progress-amount-only} %{progress-bar-only} %{progress-conemu} %{bar-STYLE}
%{ratio} %{sgr:COLOUR,...} and the long names of the options.
`,
		Misuse:  &tool.Misuse{Status: pvMisuse, Hint: "Try `%s --help' for more information."},
		Signals: []syscall.Signal{syscall.SIGUSR1},
		Run:     runPV,
	}
}

// The bits of pv's exit status (pv(1), EXIT STATUS).
const (
	pvProblem     = 1 // with -P and the like
	pvNoAccess    = 2
	pvSameFile    = 4
	pvTransfer    = 16
	pvInterrupted = 32
	pvMisuse      = 64
)

func runPV(inv *tool.Invocation) error {
	o, err := readPVOptions(inv)
	if err != nil {
		inv.Errorf("%v", err)
		inv.SetStatus(pvMisuse)
		return nil
	}
	if len(o.watched) > 0 {
		return o.watchFiles(inv)
	}
	if o.remote > 0 {
		o.changeOther(inv)
		return nil
	}
	if o.query > 0 {
		o.queryOther(inv)
		return nil
	}
	if o.pidFile != nil {
		remove, err := writePIDFile(*o.pidFile)
		if err != nil {
			inv.Errorf("%s: %v", *o.pidFile, err)
			return nil // the status is pvProblem
		}
		defer remove()
	}
	p := &pv{inv: inv, pvOptions: o}
	p.transfer(inv.Operands)
	inv.SetStatus(p.status)
	return nil
}
