package tool

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
)

// help returns the text of --help, in the layout of GNU programs.
func help(name string, cmd Command) string {
	var b strings.Builder
	lead := "Usage: "
	for _, s := range cmd.Synopsis {
		fmt.Fprintf(&b, "%s%s %s\n", lead, name, s)
		lead = "  or:  "
	}
	fmt.Fprintf(&b, "%s\n\n", strings.TrimSuffix(cmd.Summary, "\n"))
	writeOptions(&b, grouped(visibleOptions(cmd.Flags), cmd.Groups))
	if cmd.Notes != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSuffix(cmd.Notes, "\n"))
	}
	manual := cmd.Manual
	if manual == "" {
		manual = cmd.Name
	}
	fmt.Fprintf(&b, "\nFull documentation: man %s\nMethods, safety and statistics: man 7 zeroutils\n", manual)
	return b.String()
}

// A Group is a heading in --help and the options below it, by the first names of
// their flags. Names that no flag has are passed over.
type Group struct {
	Heading string
	Options []string
}

// A section is a group as --help prints it.
type section struct {
	heading string // or "" for none
	options []option
}

// grouped arranges the options by groups. Those in no group come last, in their
// own order.
func grouped(options []option, groups []Group) (sections []section) {
	taken := map[string]bool{}
	for _, g := range groups {
		s := section{heading: g.Heading}
		for _, name := range g.Options {
			for _, o := range options {
				if o.name == name {
					s.options, taken[name] = append(s.options, o), true
				}
			}
		}
		if len(s.options) > 0 {
			sections = append(sections, s)
		}
	}
	rest := section{}
	for _, o := range options {
		if !taken[o.name] {
			rest.options = append(rest.options, o)
		}
	}
	return append(sections, rest)
}

// An option is a line of the table of options.
type option struct{ name, spelling, usage string }

func visibleOptions(flags []cli.Flag) []option {
	var options []option
	for _, f := range flags {
		d, ok := f.(cli.DocGenerationFlag)
		if v, isVisible := f.(cli.VisibleFlag); !ok || isVisible && !v.IsVisible() {
			continue
		}
		value, usage := valueName(d)
		options = append(options, option{f.Names()[0], spelling(f, value), usage})
	}
	return options
}

// valueName returns the name of the option's value, which stands in backquotes in
// the usage text, and the text without the backquotes. The name is "" if the
// option takes no value.
func valueName(f cli.DocGenerationFlag) (name, usage string) {
	usage = f.GetUsage()
	if !f.TakesValue() {
		return "", usage
	}
	before, rest, _ := strings.Cut(usage, "`")
	name, after, ok := strings.Cut(rest, "`")
	if !ok {
		return "VALUE", usage
	}
	return name, before + name + after
}

// spelling shows how an option is written: "-n, --number", "    --stats[=FORMAT]"
// or "-i SECONDS". The value stands with the long names, if there are any.
func spelling(f cli.Flag, value string) string {
	var short, long []string
	for _, name := range f.Names() {
		if len(name) == 1 {
			short = append(short, "-"+name)
		} else {
			long = append(long, "--"+name+attached(f, value))
		}
	}
	switch {
	case len(long) > 0 && len(short) == 0:
		return "    " + strings.Join(long, ", ")
	case len(long) == 0 && value != "":
		return strings.Join(short, ", ") + " " + value
	}
	return strings.Join(append(short, long...), ", ")
}

// attached returns what follows a long name: "=VALUE" or "[=VALUE]".
func attached(f cli.Flag, value string) string {
	if value == "" {
		return ""
	}
	if _, ok := f.(*gnuflag.OptionalString); ok {
		return "[=" + value + "]"
	}
	return "=" + value
}

// The usage texts begin two columns after the widest spelling, not counting those
// wider than widestSpelling. Lines end before column 80.
const (
	widestSpelling = 28
	lineWidth      = 79
)

func writeOptions(b *strings.Builder, sections []section) {
	column := 0
	for _, s := range sections {
		for _, o := range s.options {
			if n := len(o.spelling); n <= widestSpelling {
				column = max(column, n)
			}
		}
	}
	column += len("  ") + len("  ")
	for i, s := range sections {
		if i > 0 {
			fmt.Fprintln(b)
		}
		if s.heading != "" {
			fmt.Fprintf(b, "%s:\n", s.heading)
		}
		for _, o := range s.options {
			writeOption(b, o, column)
		}
	}
}

func writeOption(b *strings.Builder, o option, column int) {
	line := "  " + o.spelling
	if len(line)+2 > column {
		fmt.Fprintln(b, line)
		line = ""
	}
	for i, part := range wrap(o.usage, lineWidth-column-2) {
		if i > 0 {
			line, part = "", "  "+part
		}
		fmt.Fprintf(b, "%-*s%s\n", column, line, part)
	}
}

// wrap breaks a text into lines of at most the given width, between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// version is set by the linker for releases:
// -X zeroutils/internal/tool.version=1.2.3.
var version string

// Version returns the release, or else the version that the go command recorded,
// or else "devel".
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
