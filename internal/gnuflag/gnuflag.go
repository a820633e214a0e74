// Package gnuflag reads a command line as GNU programs do, for programs whose
// flags are declared with urfave/cli/v2.
//
// People who type cat, tee or cp write
//
//	cp a b -rtDIR --ref=auto -- -c
//
// with options after operands, one-letter options joined, values attached or
// apart, long names abbreviated, and an option given twice. cli, which uses Go's
// flag package, understands none of that. So [Parse] reads the arguments as the
// GNU C library's getopt_long(3) would, with the same error texts, and
// [Line.Context] puts the values where cli's accessors find them. cli itself
// parses nothing.
//
// A flag is a BoolFlag, which takes no value, a StringFlag, which needs one, or
// an [OptionalString]. A name of one byte is an option with one dash, a longer
// name has two. Values are strings of any bytes; the program converts them. Of
// getopt_long's extras, -W, getopt_long_only and translated messages are
// missing.
package gnuflag

import (
	"slices"

	"github.com/urfave/cli/v2"
)

// A Line is a command line that has been read.
type Line struct {
	Options  []Option // in the order given
	Operands []string // in the order given
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
// first operand ends the options. Parse does not read the environment variable
// POSIXLY_CORRECT itself.
//
// The error is a *UsageError. The Line beside it holds what came before the
// mistake, so that a program can still honour an earlier --help.
func Parse(flags []cli.Flag, args []string, posixlyCorrect bool) (Line, error) {
	return ParseUntil(flags, args, func([]string) bool { return posixlyCorrect })
}

// ParseUntil is Parse for a program that decides for itself which operand ends
// the options. After each operand, ends is given those read so far; everything
// behind the one for which it returns true is an operand.
func ParseUntil(flags []cli.Flag, args []string, ends func(operands []string) bool) (Line, error) {
	p := parser{table: declare(flags), rest: args}
	for len(p.rest) > 0 {
		if err := p.argument(p.next(), ends); err != nil {
			return p.line, err
		}
	}
	return p.line, nil
}

// Last returns the one of the named options that was given last, for options
// that override each other. The names are first names, as in Option.Name.
func (l Line) Last(names ...string) (Option, bool) {
	for _, o := range slices.Backward(l.Options) {
		if slices.Contains(names, o.Name) {
			return o, true
		}
	}
	return Option{}, false
}
