// Package gnuflag reads a command line as GNU programs do, for programs whose
// flags are declared with urfave/cli/v2.
//
// People who type cat, tee or cp expect to write
//
//	cp a b -rtDIR --ref=auto -- -c
//
// with options after operands, one-letter options joined together, values
// attached or apart, long names cut short, and the same option given twice.
// cli understands none of that: its parser is that of Go's flag package. So a
// program hands its flags and its arguments to [Parse], which follows the GNU
// C library's getopt_long to the letter, error texts included, and then gives
// [Line.Argv] to cli, which is the same command line spelled out:
//
//	cp --recursive --target-directory=DIR --reflink=auto -- a b -c
//
// Where the order of different options matters (cp -i -n), [Line.Options] has
// them all, as they came.
//
// What the flags mean is not decided here. A flag declares its names and
// whether it takes a value, and that is all gnuflag looks at: a name of one
// byte is an option with one dash, a longer one has two. Values are strings
// and any bytes will do; turning one into a number is left to cli or to the
// program. Of getopt_long's extras there is no -W, no getopt_long_only, and
// no translation of messages.
//
// The App that gets the rewritten arguments should set HideHelp and
// HideVersion and declare such flags itself, since Parse knows no flag that
// cli adds later, and an operand "help" would be a command. It should set
// DisableSliceFlagSeparator too, lest cli split values at commas, and KeepSpace
// in its StringSliceFlags, lest cli trim them. Three more habits of cli are
// good to know:
//
//   - A flag with several names is set once more for each of them.
//   - A StringSliceFlag with several names loses bytes that are not UTF-8 on
//     that way. Read Line.Options, or declare one name.
//   - A bool flag named help or h, when given, makes cli print its own help
//     and not run the Action, unless cli.HelpFlag is nil.
package gnuflag

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// A Line is a command line that has been read.
type Line struct {
	Options  []Option // in the order given
	Operands []string // in the order given

	declared map[string]*declaration // by Option.Name
}

// An Option is one occurrence of an option on a command line.
type Option struct {
	Name     string // the first name that the flag declares
	Spelled  string // as messages show it: -t, or --target-directory in full
	Value    string // as given; for an OptionalString without a value, its Absent
	HasValue bool   // whether the command line gave Value
}

// Parse reads args, the arguments without the program's name, as getopt_long
// would if flags had been declared to it in this order.
//
// Options and operands may be mixed, unless posixlyCorrect is set: then the
// first operand ends the options. It stands for the environment variable
// POSIXLY_CORRECT, which Parse does not look at.
//
// An error is always a *UsageError. The Line beside it holds what came before
// the mistake, so that a program can still honour an earlier --help.
func Parse(flags []cli.Flag, args []string, posixlyCorrect bool) (Line, error) {
	return ParseUntil(flags, args, func([]string) bool { return posixlyCorrect })
}

// ParseUntil is Parse for a program that decides for itself which operand ends
// the options. After each operand, ends is given those read so far; everything
// behind the one for which it returns true is an operand.
func ParseUntil(flags []cli.Flag, args []string, ends func(operands []string) bool) (Line, error) {
	t := declare(flags)
	p := parser{table: t, rest: args, line: Line{declared: t.named}}
	for len(p.rest) > 0 {
		if err := p.argument(p.next(), ends); err != nil {
			return p.line, err
		}
	}
	return p.line, nil
}

// A parser is a command line half read.
type parser struct {
	table table
	rest  []string // the arguments not yet looked at
	line  Line
}

// next takes the next argument, which must exist.
func (p *parser) next() string {
	arg := p.rest[0]
	p.rest = p.rest[1:]
	return arg
}

// argument reads what begins with arg: an operand, or one or more options with
// their values.
func (p *parser) argument(arg string, ends func([]string) bool) error {
	switch {
	case arg == "--":
		p.endOptions()
	case arg == "-" || !strings.HasPrefix(arg, "-"):
		p.line.Operands = append(p.line.Operands, arg)
		if ends(p.line.Operands) {
			p.endOptions()
		}
	case strings.HasPrefix(arg, "--"):
		return p.long(arg)
	default:
		return p.cluster(arg[1:])
	}
	return nil
}

// endOptions takes all that is left for operands.
func (p *parser) endOptions() {
	p.line.Operands = append(p.line.Operands, p.rest...)
	p.rest = nil
}

// long reads --name, --name=value, or --name and the argument after it.
func (p *parser) long(arg string) error {
	name, value, hasValue := strings.Cut(arg[len("--"):], "=")
	matches := p.table.match(name)
	switch {
	case len(matches) == 0:
		return usagef("unrecognized option '%s'", arg)
	case len(matches) > 1:
		return ambiguous(arg, matches)
	}

	d, spelled := matches[0].declaration, "--"+matches[0].name
	switch {
	case hasValue && d.takes == noValue:
		return usagef("option '%s' doesn't allow an argument", spelled)
	case hasValue:
		p.given(d, spelled, value)
	case d.takes != aValue:
		p.bare(d, spelled)
	case len(p.rest) == 0:
		return usagef("option '%s' requires an argument", spelled)
	default:
		p.given(d, spelled, p.next())
	}
	return nil
}

// cluster reads the letters behind a single dash. Each is an option; the first
// that takes a value takes the rest of the letters, or the argument after them
// if it is the last.
func (p *parser) cluster(letters string) error {
	for i := range len(letters) { // bytes: getopt knows no others
		letter, attached := letters[i:i+1], letters[i+1:]
		d, ok := p.table.short[letter]
		switch {
		case !ok:
			return usagef("invalid option -- '%s'", letter)
		case d.takes != aValue:
			p.bare(d, "-"+letter)
		case attached != "":
			p.given(d, "-"+letter, attached)
			return nil
		case len(p.rest) == 0:
			return usagef("option requires an argument -- '%s'", letter)
		default:
			p.given(d, "-"+letter, p.next())
		}
	}
	return nil
}

// bare notes an option that came without a value.
func (p *parser) bare(d *declaration, spelled string) {
	p.line.Options = append(p.line.Options, Option{Name: d.name, Spelled: spelled, Value: d.absent})
}

// given notes an option that came with a value.
func (p *parser) given(d *declaration, spelled, value string) {
	p.line.Options = append(p.line.Options, Option{Name: d.name, Spelled: spelled, Value: value, HasValue: true})
}
