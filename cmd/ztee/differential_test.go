package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/oracle"
	"zeroutils/internal/testbin"
)

// options are those that tee has, in spellings that it knows, and in the end
// two that are mistakes.
var options = []string{
	"-a", "--append", "--app", "-i", "--ignore-interrupts", "-p", "-ai", "-pa", "--output-error",
	"--output-error=warn", "--output-error=warn-nopipe", "--output-error=exit", "--output-error=exit-nopipe", "--out=exit",
	"--output-error=nonsense", "-x",
}

// A aCase is what tee and ztee are both called with.
type aCase struct {
	oracle.World
	args []string
}

func TestZteeDoesWhatTeeDoes(t *testing.T) {
	ztee := oracle.Program{Path: filepath.Join(testbin.Dir(t), "ztee"), Name: "tee"}
	tee := oracle.GNU(t, "tee")
	oracle.Check(t, func(t *rapid.T) {
		c := draw(t)
		theirs := c.Run(t, tee, c.args...)
		ours := c.Run(t, ztee, c.args...)
		if d := oracle.Difference(ours, theirs); d != "" {
			t.Fatalf("tee %q\n%s", c.args, d)
		}
	})
}

func draw(t *rapid.T) aCase {
	c := aCase{World: oracle.World{
		Stdin: oracle.DrawStdin(t), Stdout: oracle.DrawStdout(t), Env: oracle.DrawEnv(t),
	}}
	var drawn []string
	for range rapid.IntRange(0, 3).Draw(t, "options") {
		drawn = append(drawn, rapid.SampledFrom(options).Draw(t, "option"))
	}
	var operands []string
	for range rapid.IntRange(0, 5).Draw(t, "operands") {
		operands = append(operands, drawOperand(t, &c.World))
	}
	c.args = oracle.DrawLine(t, drawn, operands)
	return c
}

func drawOperand(t *rapid.T, w *oracle.World) string {
	kinds := []string{"new", "new", "-", "old", "old", "FIFO", "unwritable", "directory", "nowhere", "special"}
	switch rapid.SampledFrom(kinds).Draw(t, "operand") {
	case "new":
		return w.DrawName(t)
	case "-":
		return "-"
	case "old":
		return w.Add(t, oracle.Plain, 0o644, oracle.DrawData(t, "file"))
	case "FIFO":
		return w.Add(t, oracle.Taking, 0o644, oracle.Data{})
	case "unwritable":
		return w.Add(t, oracle.Plain, 0o444, oracle.DrawData(t, "file"))
	case "directory":
		return w.Add(t, oracle.Directory, 0o755, oracle.Data{})
	case "nowhere":
		return w.DrawName(t) + "/file"
	}
	return rapid.SampledFrom([]string{"/dev/null", "/dev/full", ".", ""}).Draw(t, "special")
}

var _ = slices.Contains[[]string]
var _ = strings.Contains
