// Zcat concatenates files to standard output, as cat does, without carrying
// the bytes through user space where the kernel can move them.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/tool"
)

func main() { tool.Main(command()) }

func command() tool.Command {
	return tool.Command{
		Name:     "zcat",
		Manual:   manual(),
		Synopsis: []string{"[OPTION]... [FILE]..."},
		Summary: `Concatenate FILE(s) to standard output.

With no FILE, or when FILE is -, read standard input.
`,
		Notes: `Examples:
  zcat f - g  Output f's contents, then standard input, then g's contents.
  zcat        Copy standard input to standard output.
`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "show-all", Aliases: []string{"A"}, Usage: "equivalent to -vET"},
			&cli.BoolFlag{Name: "number-nonblank", Aliases: []string{"b"}, Usage: "number nonempty output lines, overrides -n"},
			&cli.BoolFlag{Name: "e", Usage: "equivalent to -vE"},
			&cli.BoolFlag{Name: "show-ends", Aliases: []string{"E"}, Usage: "display $ or ^M$ at end of each line"},
			&cli.BoolFlag{Name: "number", Aliases: []string{"n"}, Usage: "number all output lines"},
			&cli.BoolFlag{Name: "squeeze-blank", Aliases: []string{"s"}, Usage: "suppress repeated empty output lines"},
			&cli.BoolFlag{Name: "t", Usage: "equivalent to -vT"},
			&cli.BoolFlag{Name: "show-tabs", Aliases: []string{"T"}, Usage: "display TAB characters as ^I"},
			&cli.BoolFlag{Name: "u", Usage: "(ignored)"},
			&cli.BoolFlag{Name: "show-nonprinting", Aliases: []string{"v"}, Usage: "use ^ and M- notation, except for LFD and TAB"},
			&cli.BoolFlag{Name: "stable", Usage: "guard files from writers until the pipe's reader has read them"},
		},
		Run: run,
	}
}

// manual is the name of the manual page, which is installed under the name of the
// binary: zccat where zcat is gzip's. Called as cat, only the binary tells it.
func manual() string {
	if path, err := os.Executable(); err == nil && filepath.Base(path) == "zccat" {
		return "zccat"
	}
	return "zcat"
}

func run(inv *tool.Invocation) error {
	format, err := formatter(inv)
	if err != nil {
		return err
	}
	c, err := newConcatenation(inv, format)
	if err != nil {
		inv.Errorf("standard output: %v", err)
		return nil
	}
	defer c.close()
	names := inv.Operands
	if len(names) == 0 {
		names = []string{"-"}
	}
	if c.addAll(names) && c.end() && c.readStdin {
		if err := inv.CloseStdin(); err != nil {
			inv.Errorf("closing standard input: %v", err)
		}
	}
	inv.PrintStats(c.total)
	return nil
}
