package gnuflag

import (
	"fmt"
	"strings"
)

// A parser has read a part of a command line.
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

// argument reads arg: an operand, or one or more options with their values.
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

// endOptions makes operands of the remaining arguments.
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

// bare adds an option that came without a value.
func (p *parser) bare(d *declaration, spelled string) {
	p.line.Options = append(p.line.Options, Option{Name: d.name, Spelled: spelled, Value: d.absent})
}

// given adds an option that came with a value.
func (p *parser) given(d *declaration, spelled, value string) {
	p.line.Options = append(p.line.Options, Option{Name: d.name, Spelled: spelled, Value: value, HasValue: true})
}

// A UsageError is a mistake on the command line. Its text is the one that
// getopt_long prints, without the program's name in front. Bytes of the command
// line stand in it as they came.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// ambiguous lists the names that an abbreviation could have meant.
func ambiguous(arg string, matches []longName) error {
	var names strings.Builder
	for _, m := range matches {
		fmt.Fprintf(&names, " '--%s'", m.name)
	}
	return usagef("option '%s' is ambiguous; possibilities:%s", arg, &names)
}
