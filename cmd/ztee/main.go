// Ztee copies standard input to files and to standard output, as tee does, by
// tee(2) and splice(2) where the kernel can move the bytes.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/tool"
)

func main() { tool.Main(command()) }

func command() tool.Command {
	return tool.Command{
		Name:     "ztee",
		Synopsis: []string{"[OPTION]... [FILE]..."},
		Summary: `Copy standard input to each FILE, and also to standard output.
`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "append", Aliases: []string{"a"}, Usage: "append to the given FILEs, do not overwrite"},
			&cli.BoolFlag{Name: "ignore-interrupts", Aliases: []string{"i"}, Usage: "ignore interrupt signals"},
			&cli.BoolFlag{Name: "p", Usage: "operate in a more appropriate MODE with pipes"},
			&gnuflag.OptionalString{
				StringFlag: cli.StringFlag{Name: "output-error", Usage: "set behavior on write error; see `MODE` below"},
				Absent:     "warn-nopipe",
			},
			&cli.BoolFlag{Name: "fsync", Usage: "have the files' data on disk before exiting"},
			&cli.BoolFlag{Name: "progress", Usage: "show on standard error, if that is a terminal, how much has come through"},
			&cli.BoolFlag{Name: "reopen", Usage: "on SIGHUP, open the FILEs again by name"},
			&cli.StringFlag{Name: "method", Category: gnuflag.Own, Usage: "move the data by `NAME` and no other way: splice or readwrite; auto, the default, takes what suits"},
		},
		Choices: map[string][]string{
			"output-error": outputErrors,
			"method":       {"auto", "splice", "readwrite"}, // no other serves several outputs
		},
		Notes: `MODE determines behavior with write errors on the outputs:
  warn           diagnose errors writing to any output
  warn-nopipe    diagnose errors writing to any output not a pipe
  exit           exit on error writing to any output
  exit-nopipe    exit on error writing to any output not a pipe
The default MODE for the -p option is 'warn-nopipe'.
With "nopipe" MODEs, exit immediately if all outputs become broken pipes.
The default operation when --output-error is not specified, is to
exit immediately on error writing to a pipe, and diagnose errors
writing to non pipe outputs.

SIGUSR1 makes ztee print how much each output has.
`,
		Signals: []syscall.Signal{syscall.SIGUSR1},
		Run:     run,
	}
}

func run(inv *tool.Invocation) error {
	if inv.Flags.Bool("ignore-interrupts") {
		signal.Ignore(syscall.SIGINT)
	}
	t := newTee(inv)
	t.mode.apply(false)
	if t.open(inv.Operands) {
		t.countOnSignal()
		t.showProgress()
		t.mode.apply(t.display != nil)
		t.copy()
		t.display.Stop()
	}
	t.close()
	t.printStats()
	return nil
}
