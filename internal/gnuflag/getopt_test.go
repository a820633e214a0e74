package gnuflag_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
	"pgregory.net/rapid"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/property"
	"zeroutils/internal/testfs"
)

// TestParseAgreesWithGetoptLong draws flags and command lines at random, reads
// them with the C library's getopt_long too, and compares what both say, down
// to the last byte of a message.
func TestParseAgreesWithGetoptLong(t *testing.T) {
	getopt := buildGetopt(t)
	property.Check(t, property.Usual, func(t *rapid.T) {
		// Fifty lines to a set of flags, since it takes a process to read them.
		options := rapid.Custom(drawOptions).Draw(t, "options")
		lines := rapid.SliceOfN(rapid.Custom(options.drawLine), 50, 50).Draw(t, "lines")

		theirs := runGetopt(t, getopt, options, lines)
		for i, l := range lines {
			line, err := gnuflag.Parse(options.flags(), l.args, l.posixlyCorrect)
			if ours := report(line, err); ours != theirs[i] {
				t.Fatalf("options %+v\nline %q, POSIXLY_CORRECT %v\ngnuflag %q\ngetopt  %q",
					options, l.args, l.posixlyCorrect, ours, theirs[i])
			}
		}
	})
}

// buildGetopt compiles testdata/getopt.c and returns the program.
func buildGetopt(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "getopt")
	out, err := exec.Command("cc", "-o", program, filepath.Join("testdata", "getopt.c")).CombinedOutput()
	if err != nil {
		testfs.Unavailable(t, fmt.Sprintf("this test needs a C compiler and glibc: %v\n%s", err, out))
	}
	return program
}

// An option is a flag as both sides can declare it.
type option struct {
	names []string
	takes int // 0, 1 or 2: struct option's has_arg
}

type options []option

// A commandLine is one line for both sides to read.
type commandLine struct {
	args           []string
	posixlyCorrect bool
}

// drawOptions makes up flags with names that begin alike.
func drawOptions(t *rapid.T) options {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-f]|[ab]{2,4}|re[a-c-]{1,3}`), 1, 12, rapid.ID).Draw(t, "names")
	var declared options
	for len(names) > 0 {
		n := rapid.IntRange(1, min(4, len(names))).Draw(t, "names of one flag")
		declared = append(declared, option{names[:n], rapid.IntRange(0, 2).Draw(t, "takes")})
		names = names[n:]
	}
	return declared
}

// drawLine makes up arguments, most of them close to what is declared.
func (declared options) drawLine(t *rapid.T) commandLine {
	anything := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte("-=abcdefr: W\n\xff")), 0, 6), toString)
	arg := rapid.OneOf(
		rapid.SampledFrom([]string{"operand", "-", "--", ""}),
		rapid.Custom(declared.drawLong),
		rapid.Custom(declared.drawCluster),
		rapid.Map(anything, func(s string) string { return "-" + s }),
		anything)
	return commandLine{
		// rapid likes few arguments, but it takes a few to get in each other's way.
		args:           slices.Concat(rapid.SliceOfN(arg, 0, 2).Draw(t, "args"), rapid.SliceOfN(arg, 0, 5).Draw(t, "more")),
		posixlyCorrect: rapid.Bool().Draw(t, "POSIXLY_CORRECT"),
	}
}

// drawLong makes up a long option, perhaps cut short, perhaps with a value.
func (declared options) drawLong(t *rapid.T) string {
	name := rapid.SampledFrom(declared.names()).Draw(t, "name")
	cut := len(name) - rapid.IntRange(0, len(name)).Draw(t, "cut")
	return "--" + name[:cut] + rapid.SampledFrom([]string{"", "=", "=v", "=-a"}).Draw(t, "value")
}

// drawCluster makes up joined letters, declared ones and z, which never is one.
func (declared options) drawCluster(t *rapid.T) string {
	letters := "z"
	for _, name := range declared.names() {
		if len(name) == 1 {
			letters = name + letters
		}
	}
	return "-" + toString(rapid.SliceOfN(rapid.SampledFrom([]byte(letters)), 1, 4).Draw(t, "letters"))
}

func toString(b []byte) string { return string(b) }

// names are the names of all flags.
func (declared options) names() []string {
	var names []string
	for _, o := range declared {
		names = append(names, o.names...)
	}
	return names
}

// flags declares the options to cli.
func (declared options) flags() []cli.Flag {
	var fs []cli.Flag
	for _, o := range declared {
		name, aliases := o.names[0], o.names[1:]
		switch o.takes {
		case 0:
			fs = append(fs, &cli.BoolFlag{Name: name, Aliases: aliases})
		case 1:
			fs = append(fs, &cli.StringFlag{Name: name, Aliases: aliases})
		case 2:
			fs = append(fs, &gnuflag.OptionalString{StringFlag: cli.StringFlag{Name: name, Aliases: aliases}})
		}
	}
	return fs
}

// runGetopt has the C program read the lines and returns its report of each.
func runGetopt(t *rapid.T, program string, declared options, lines []commandLine) []string {
	words := declared.declaration()
	for _, l := range lines {
		words = append(words, strconv.FormatBool(l.posixlyCorrect), strconv.Itoa(len(l.args)))
		words = append(words, l.args...)
	}
	cmd := exec.Command(program)
	cmd.Env = []string{"LC_ALL=C"}
	cmd.Stdin = strings.NewReader(strings.Join(words, "\x00") + "\x00")
	cmd.Stderr = new(bytes.Buffer)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, cmd.Stderr)
	}
	reports := splitReports(string(out))
	if len(reports) != len(lines) {
		t.Fatalf("%d reports on %d lines: %q", len(reports), len(lines), out)
	}
	return reports
}

// splitReports cuts the C program's output behind each "end". An operand or
// value is never mistaken for one, as it has its kind in front.
func splitReports(out string) []string {
	var reports []string
	var report strings.Builder
	for word := range strings.SplitAfterSeq(out, "\x00") {
		report.WriteString(word)
		if word == "end\x00" {
			reports = append(reports, report.String())
			report.Reset()
		}
	}
	return reports
}

// declaration is the optstring, the number of long options, and each of them.
func (declared options) declaration() []string {
	var optstring string
	var long []string
	for i, o := range declared {
		for _, name := range o.names {
			switch {
			case len(name) > 1:
				// Beyond all letters, and the same for all names of a flag.
				val := 1000 + i
				long = append(long, name, strconv.Itoa(o.takes), strconv.Itoa(val))
			case o.takes == 1:
				optstring += name + ":"
			default:
				optstring += name
			}
		}
	}
	return slices.Concat([]string{optstring, strconv.Itoa(len(long) / 3)}, long)
}

// report writes down what gnuflag made of a line as the C program does.
func report(line gnuflag.Line, err error) string {
	var b strings.Builder
	for _, o := range line.Options {
		fmt.Fprintf(&b, "option %s\x00", o.Spelled)
		if o.HasValue {
			fmt.Fprintf(&b, "value %s\x00", o.Value)
		}
	}
	if err != nil {
		fmt.Fprintf(&b, "getopt: %v\n\x00end\x00", err)
		return b.String()
	}
	for _, operand := range line.Operands {
		fmt.Fprintf(&b, "operand %s\x00", operand)
	}
	return b.String() + "end\x00"
}
