package gnuflag

import "slices"

// Argv spells the line out for cli.App.Run: the program's name, the options,
// "--", and the operands.
//
// A flag is there once, with the value given last, and a slice flag (one whose
// IsSliceFlag is true) once for each value, in order. Flags go by one name each,
// since cli takes two names of one flag for a mistake.
//
// What comes out is a GNU command line too: for Parse it means the same.
func (l Line) Argv(program string) []string {
	last := make(map[string]int, len(l.Options))
	for i, o := range l.Options {
		last[o.Name] = i
	}

	argv := []string{program}
	for i, o := range l.Options {
		d := l.declared[o.Name]
		if d.repeats || last[o.Name] == i {
			argv = append(argv, d.words(o.Value)...)
		}
	}
	// Without "--" cli would read an operand that starts with a dash as a flag.
	argv = append(argv, "--")
	return append(argv, l.Operands...)
}

// words writes a flag so that cli and getopt_long read it alike.
func (d *declaration) words(value string) []string {
	switch {
	case d.takes == noValue:
		return []string{dashed(d.plain)}
	case len(d.plain) == 1:
		// In -n=5 cli sees the value 5, getopt_long the value =5. A value in
		// the next argument is one to both, whatever it looks like.
		return []string{dashed(d.plain), value}
	default:
		// With '=' a value that starts with a dash, or is empty, is safe.
		return []string{dashed(d.plain) + "=" + value}
	}
}

// dashed is an option's name as users write it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// Last is whichever of the named options was given last, for those that
// override each other. The names are first names, as in Option.Name.
func (l Line) Last(names ...string) (Option, bool) {
	for _, o := range slices.Backward(l.Options) {
		if slices.Contains(names, o.Name) {
			return o, true
		}
	}
	return Option{}, false
}
