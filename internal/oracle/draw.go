package oracle

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// DrawData draws bytes: often few, sometimes as many as buffers and pipes hold,
// now and then some megabytes.
func DrawData(t *rapid.T, label string) Data {
	size := rapid.OneOf(
		rapid.IntRange(0, 40),
		rapid.IntRange(0, 5000),
		rapid.SampledFrom([]int{4095, 4096, 65535, 65536, 65537, 131071, 131072, 131073, 300_000}),
		rapid.SampledFrom([]int{0, 1, 1 << 20, 1<<20 + 1, 3<<20 + 12345}),
	).Draw(t, label+" size")
	return Data{
		Size: size,
		Text: rapid.Bool().Draw(t, label+" text"),
		Seed: rapid.IntRange(0, 1000).Draw(t, label+" seed"),
	}
}

// DrawStdin draws any kind of standard input.
func DrawStdin(t *rapid.T) Stdin {
	s := Stdin{Kind: rapid.SampledFrom([]StdinKind{
		FromPipe, FromPipe, FromPipe, FromFile, FromFile, FromNull, FromDirectory, FromClosed, FromWriteOnly,
	}).Draw(t, "stdin")}
	if s.Kind == FromPipe || s.Kind == FromFile {
		s.Data = DrawData(t, "stdin")
	}
	if s.Kind == FromFile && rapid.Bool().Draw(t, "stdin is read already") {
		s.Offset = int64(rapid.IntRange(0, s.Data.Size+10).Draw(t, "stdin offset"))
	}
	return s
}

// DrawStdout draws any kind of standard output.
func DrawStdout(t *rapid.T) Stdout {
	s := Stdout{Kind: rapid.SampledFrom([]StdoutKind{
		ToPipe, ToPipe, ToPipe, ToFile, ToFile, ToAppend, ToFull, ToClosed, ToBroken,
	}).Draw(t, "stdout")}
	if s.Kind == ToFile || s.Kind == ToAppend {
		s.Before = DrawData(t, "stdout")
	}
	if s.Kind == ToFile {
		s.Offset = int64(rapid.IntRange(0, s.Before.Size+10).Draw(t, "stdout offset"))
	}
	return s
}

// PosixlyCorrect in the environment lets options end at the first operand.
const PosixlyCorrect = "POSIXLY_CORRECT=1"

// DrawEnv draws the locale, on which the quoting of names depends, and whether
// options end at the first operand.
func DrawEnv(t *rapid.T) []string {
	env := []string{"LC_ALL=" + rapid.SampledFrom([]string{"C", "C.UTF-8"}).Draw(t, "locale")}
	if rapid.IntRange(0, 5).Draw(t, "POSIXLY_CORRECT") == 5 {
		env = append(env, PosixlyCorrect)
	}
	return env
}

// oddNames are beginnings of names.
var oddNames = []string{
	"f", "f", "f", "a b", "-dash", "it's", `"`, "$x", "*", "#", "~", "new\nline", "tab\t", "bell\a",
	"\xff", "é", "\u200b", "\u65e5\u672c", "back\\slash", "=", "a:b", "help",
}

// DrawName draws a name that no earlier one in the world is, and that no
// option could be.
func (w *World) DrawName(t *rapid.T) string {
	w.names++
	return fmt.Sprintf("%s%d", rapid.SampledFrom(oddNames).Draw(t, "name"), w.names)
}

// Add adds a file and returns its name.
func (w *World) Add(t *rapid.T, kind FileKind, mode fs.FileMode, data Data) string {
	name := w.DrawName(t)
	w.Files = append(w.Files, File{Name: name, Kind: kind, Data: data, Mode: mode})
	return name
}

// DrawLine mixes options and operands as users may. Operands that begin with a
// dash stand behind "--".
func DrawLine(t *rapid.T, options, operands []string) []string {
	dashed := func(s string) bool { return strings.HasPrefix(s, "-") && s != "-" }
	if slices.ContainsFunc(operands, dashed) || rapid.IntRange(0, 9).Draw(t, "--") == 9 {
		return slices.Concat(options, []string{"--"}, operands)
	}
	line := slices.Clone(operands)
	for _, option := range options {
		line = slices.Insert(line, rapid.IntRange(0, len(line)).Draw(t, "option's place"), option)
	}
	return line
}
