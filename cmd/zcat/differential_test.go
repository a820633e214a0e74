package main

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/oracle"
	"zeroutils/internal/testbin"
)

// options are those that cat has, in every spelling.
var options = [][]string{
	{"-u"},
	{"-A", "--show-all"},
	{"-b", "--number-nonblank"},
	{"-e"},
	{"-E", "--show-ends"},
	{"-n", "--number"},
	{"-s", "--squeeze-blank"},
	{"-t"},
	{"-T", "--show-tabs"},
	{"-v", "--show-nonprinting"},
}

// A difference from cat is one that is meant.
type difference struct {
	why  string
	when func(c call) bool
}

var meant = []difference{
	{
		"cat 9.1 refuses to read the file that it writes to unless that is empty. Later ones and zcat look" +
			" whether the reading would begin before the writing, and so never end.",
		func(c call) bool {
			start := c.Stdout.Kind == oracle.ToFile && (c.Stdout.Offset == 0 || c.Stdout.Before.Size == 0)
			return start && slices.Contains(c.args, oracle.StdoutFile)
		},
	},
	{
		"The Go runtime opens /dev/null in the place of a closed descriptor. zcat knows, but /dev/fd/0 does not.",
		func(c call) bool {
			return c.Stdin.Kind == oracle.FromClosed && slices.Contains(c.args, "/dev/fd/0")
		},
	},
}

// A call is what cat and zcat are both called with.
type call struct {
	oracle.World
	args []string
}

func TestZcatDoesWhatCatDoes(t *testing.T) {
	zcat := oracle.Program{Path: filepath.Join(testbin.Dir(t), "zcat"), Name: "cat"}
	cat := oracle.GNU(t, "cat")
	known := knownOptions(t, zcat)
	oracle.Check(t, func(t *rapid.T) {
		c := draw(t, known)
		theirs := c.Run(t, cat, c.args...)
		ours := c.Run(t, zcat, c.args...)
		d := oracle.Difference(ours, theirs)
		if d != "" && !slices.ContainsFunc(meant, func(m difference) bool { return m.when(c) }) {
			t.Fatalf("cat %q\n%s", c.args, d)
		}
	})
}

// knownOptions are the options that zcat's help shows.
func knownOptions(t *testing.T, zcat oracle.Program) (known []string) {
	help := oracle.World{Stdout: oracle.Stdout{Kind: oracle.ToPipe}}.Run(t, zcat, "--help").Stdout
	for _, spellings := range options {
		if regexp.MustCompile(`(?m)^  ` + spellings[0] + `\b`).Match(help) {
			known = append(known, spellings...)
		}
	}
	if len(known) == 0 {
		t.Fatalf("no options in %s", help)
	}
	return known
}

func draw(t *rapid.T, known []string) call {
	c := call{World: oracle.World{
		Stdin: oracle.DrawStdin(t), Stdout: oracle.DrawStdout(t), Env: oracle.DrawEnv(t),
	}}
	var operands []string
	for range rapid.IntRange(0, 5).Draw(t, "operands") {
		operands = append(operands, drawOperand(t, &c.World, operands))
	}
	c.args = oracle.DrawLine(t, drawOptions(t, known), operands)
	return c
}

// drawOptions draws spellings, short ones also in one word, and rarely one that
// does not exist.
func drawOptions(t *rapid.T, known []string) []string {
	all := append(known, "-Z", "--nonsense", "--number=3")
	odds := append(slices.Repeat([]int{0}, 3*len(known)), 1)
	var drawn []string
	for range rapid.IntRange(0, 3).Draw(t, "options") {
		option := rapid.SampledFrom(all[:len(known)+2*rapid.SampledFrom(odds).Draw(t, "wrong option")]).Draw(t, "option")
		last := len(drawn) - 1
		if last >= 0 && len(option) == 2 && !strings.HasPrefix(drawn[last], "--") && rapid.Bool().Draw(t, "in one word") {
			drawn[last] += option[1:]
		} else {
			drawn = append(drawn, option)
		}
	}
	return drawn
}

func drawOperand(t *rapid.T, w *oracle.World, earlier []string) string {
	const readable, unreadable fs.FileMode = 0o644, 0
	kinds := []string{"file", "file", "file", "-", "missing", "directory", "unreadable", "FIFO", "loop", "special", "stdout"}
	again := slices.DeleteFunc(slices.Clone(earlier), func(name string) bool {
		return slices.ContainsFunc(w.Files, func(f oracle.File) bool {
			return f.Name == name && f.Kind == oracle.Feeding // a second open would wait for ever
		})
	})
	if len(again) > 0 {
		kinds = append(kinds, "again")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "operand") {
	case "file":
		return w.Add(t, oracle.Plain, readable, oracle.DrawData(t, "file"))
	case "-":
		return "-"
	case "missing":
		return w.DrawName(t) + "/"
	case "directory":
		return w.Add(t, oracle.Directory, 0o755, oracle.Data{})
	case "unreadable":
		return w.Add(t, oracle.Plain, unreadable, oracle.Data{Size: 5})
	case "FIFO":
		return w.Add(t, oracle.Feeding, readable, oracle.DrawData(t, "FIFO"))
	case "loop":
		return w.Add(t, oracle.Loop, 0, oracle.Data{})
	case "special":
		return rapid.SampledFrom([]string{"/dev/null", "/proc/version", "/proc/filesystems", ".", "", "/dev/fd/0"}).Draw(t, "special")
	case "stdout":
		return oracle.StdoutFile
	}
	return rapid.SampledFrom(again).Draw(t, "which again")
}
