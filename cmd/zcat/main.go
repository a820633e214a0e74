// Zcat concatenates files to standard output, as cat does, without carrying
// the bytes through user space where the kernel can move them.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"github.com/urfave/cli/v2"

	"zeroutils/internal/tool"
)

func main() { tool.Main(command()) }

func command() tool.Command {
	return tool.Command{
		Name:     "zcat",
		Synopsis: []string{"[OPTION]... [FILE]..."},
		Summary: `Concatenate FILE(s) to standard output.

With no FILE, or when FILE is -, read standard input.
`,
		Notes: `Examples:
  zcat f - g  Output f's contents, then standard input, then g's contents.
  zcat        Copy standard input to standard output.
`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "u", Usage: "(ignored)"},
			&cli.BoolFlag{Name: "stable", Usage: "guard files from writers until the pipe's reader has read them"},
		},
		Run: run,
	}
}

func run(inv *tool.Invocation) error {
	c, err := newConcatenation(inv)
	if err != nil {
		inv.Errorf("standard output: %v", err)
		return nil
	}
	defer c.close()
	names := inv.Operands
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		if !c.add(name) {
			break
		}
	}
	if c.readStdin {
		if err := inv.CloseStdin(); err != nil {
			inv.Errorf("closing standard input: %v", err)
		}
	}
	inv.PrintStats(c.total)
	return nil
}
