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

// A difference from tee is one that is meant. What it concerns is taken out of
// both outcomes.
type difference struct {
	why    string
	when   func(c call, ours, theirs oracle.Outcome) bool
	forget func(c call, ours, theirs *oracle.Outcome)
}

var meant = []difference{
	{
		why: "Who exits or dies when one output fails has written to the others before that or not, as chunks" +
			" and turns have it: what they have is a beginning.",
		when: func(c call, ours, theirs oracle.Outcome) bool {
			dies := ours.Status == theirs.Status && strings.HasPrefix(ours.Status, "signal: broken pipe")
			return dies || c.exits()
		},
		forget: func(c call, ours, theirs *oracle.Outcome) {
			oracle.Shorten(ours, theirs)
			if c.Stdout.Kind == oracle.ToFile { // a beginning, and then what was there before
				ours.Files[oracle.StdoutFile] = theirs.Files[oracle.StdoutFile]
			}
		},
	},
	{
		why:  "Of several outputs that fail with the first bytes, tee names them in the order given.",
		when: func(c call, _, _ oracle.Outcome) bool { return !c.exits() },
		forget: func(_ call, ours, theirs *oracle.Outcome) {
			ours.Stderr, theirs.Stderr = sorted(ours.Stderr), sorted(theirs.Stderr)
		},
	},
	{
		why:  "The same, when the first one is the last one.",
		when: func(c call, _, _ oracle.Outcome) bool { return c.exits() },
		forget: func(_ call, ours, theirs *oracle.Outcome) {
			if strings.Count(ours.Stderr, "\n") == 1 && isOutputs(ours.Stderr) && isOutputs(theirs.Stderr) {
				ours.Stderr = theirs.Stderr
			}
		},
	},
	{
		why: "With the nopipe modes ztee takes no input, and so finds no fault in it, once all outputs are broken" +
			" pipes; tee 9.1 must try to write to them first.",
		when: func(c call, _, _ oracle.Outcome) bool { return c.nopipe() && c.Stdout.Kind == oracle.ToBroken },
		forget: func(_ call, ours, theirs *oracle.Outcome) {
			if strings.Contains(ours.Stderr, readError) {
				return
			}
			theirs.Stderr = strings.Replace(theirs.Stderr, readError, "", 1)
			if theirs.Stderr == "" {
				theirs.Status = ours.Status
			}
		},
	},
}

// readError is what the oracle's kinds of standard input lead to.
const readError = "tee: read error: Is a directory\n"

// options are the arguments that are no operands.
func (c call) options() (options []string) {
	for _, arg := range c.args {
		switch {
		case arg == "--":
			return options
		case strings.HasPrefix(arg, "-") && arg != "-":
			options = append(options, arg)
		case slices.Contains(c.Env, oracle.PosixlyCorrect):
			return options
		}
	}
	return options
}

func (c call) exits() bool {
	return slices.ContainsFunc(c.options(), func(s string) bool { return strings.Contains(s, "=exit") })
}

func (c call) nopipe() bool {
	return slices.ContainsFunc(c.options(), func(s string) bool {
		return strings.HasSuffix(s, "nopipe") || s == "--output-error" || s == "-p" || s == "-pa"
	})
}

func sorted(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

// isOutputs reports whether a message is about an output that the oracle lets
// fail when it is written to.
func isOutputs(message string) bool {
	return strings.HasPrefix(message, "tee: 'standard output': ") || message == "tee: /dev/full: No space left on device\n"
}

// A call is what tee and ztee are both called with.
type call struct {
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
		for _, d := range meant {
			if d.when(c, ours, theirs) {
				d.forget(c, &ours, &theirs)
			}
		}
		if d := oracle.Difference(ours, theirs); d != "" {
			t.Fatalf("tee %q\n%s", c.args, d)
		}
	})
}

func draw(t *rapid.T) call {
	c := call{World: oracle.World{
		Stdin: oracle.DrawStdin(t), Stdout: oracle.DrawStdout(t), Env: oracle.DrawEnv(t),
	}}
	var drawn []string
	for range rapid.IntRange(0, 3).Draw(t, "options") {
		option := rapid.SampledFrom(options).Draw(t, "option")
		if !slices.Contains(c.Env, oracle.PosixlyCorrect) || !slices.Contains(drawn, option) { // it may be a file's name
			drawn = append(drawn, option)
		}
	}
	var operands []string
	for range rapid.IntRange(0, 5).Draw(t, "operands") {
		operand := drawOperand(t, &c.World, operands)
		// What is written to twice by appending, or is a FIFO, gets chunks of
		// both in turns, and tee's chunks are smaller.
		if !slices.Contains(operands, operand) || !c.inTurns(drawn, operand) {
			operands = append(operands, operand)
		}
	}
	c.args = oracle.DrawLine(t, drawn, operands)
	return c
}

func (c call) inTurns(options []string, operand string) bool {
	isFIFO := slices.ContainsFunc(c.Files, func(f oracle.File) bool { return f.Name == operand && f.Kind == oracle.Taking })
	return isFIFO || slices.ContainsFunc(options, func(o string) bool {
		return o == "-a" || o == "--append" || o == "--app" || o == "-ai" || o == "-pa"
	})
}

func drawOperand(t *rapid.T, w *oracle.World, earlier []string) string {
	kinds := []string{"FIFO", "new", "new", "old", "old", "unwritable", "directory", "nowhere", "special"}
	if len(earlier) > 0 {
		kinds = append(kinds, "again")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "operand") {
	case "FIFO":
		return w.Add(t, oracle.Taking, 0o644, oracle.Data{})
	case "new":
		return w.DrawName(t)
	case "old":
		return w.Add(t, oracle.Plain, 0o644, oracle.DrawData(t, "file"))
	case "unwritable":
		return w.Add(t, oracle.Plain, 0o444, oracle.DrawData(t, "file"))
	case "directory":
		return w.Add(t, oracle.Directory, 0o755, oracle.Data{})
	case "nowhere":
		return w.DrawName(t) + "/file"
	case "again":
		return rapid.SampledFrom(earlier).Draw(t, "which again")
	}
	return rapid.SampledFrom([]string{"/dev/null", "/dev/full", ".", "", "-"}).Draw(t, "special")
}
