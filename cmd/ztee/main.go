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
		},
		Run: run,
	}
}

func run(inv *tool.Invocation) error {
	if inv.Flags.Bool("ignore-interrupts") {
		signal.Ignore(syscall.SIGINT)
	}
	t := newTee(inv)
	t.copy()
	t.close()
	inv.PrintStats(t.report)
	return nil
}
