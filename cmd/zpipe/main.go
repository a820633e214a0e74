// Zpipe relays standard input to standard output within the kernel, and gives
// the pipes on both sides more room than they have by themselves.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"errors"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

func main() { tool.Main(command()) }

func command() tool.Command {
	return tool.Command{
		Name:     "zpipe",
		Synopsis: []string{"[OPTION]..."},
		Summary: `Relay standard input to standard output.

Pipes on either side are raised to 1 MiB, which makes a pipeline faster than
joining its commands directly.
`,
		Run: run,
	}
}

func run(inv *tool.Invocation) error {
	if len(inv.Operands) > 0 {
		return tool.ExtraOperand(inv.Operands[0])
	}
	src, err := tool.Neighbour(inv.Stdin())
	if err != nil {
		inv.Errorf("standard input: %v", err)
		return nil
	}
	dst, err := tool.Neighbour(inv.Stdout())
	if err != nil {
		inv.Errorf("standard output: %v", err)
		return nil
	}
	if splice.CopiesOntoItself(dst, src) {
		inv.Errorf("input file is output file")
		return nil
	}
	copier := splice.New()
	defer copier.Close()
	report, err := copier.Copy(dst, src, splice.Options{Method: inv.Method})
	if err != nil {
		inv.Errorf("%s: %v", sideOf(err), err)
	}
	inv.PrintStats(report)
	return nil
}

// sideOf says what an error of a copy concerns.
func sideOf(err error) string {
	var read *splice.ReadError
	var write *splice.WriteError
	switch {
	case errors.As(err, &read):
		return "read error"
	case errors.As(err, &write):
		return "write error"
	}
	return "cannot relay"
}
