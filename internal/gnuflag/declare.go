package gnuflag

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// A table is what a program declares: struct option and optstring of
// getopt_long(3).
type table struct {
	long  []longName              // in the order declared, as messages list them
	short map[string]*declaration // by its letter, a single byte
	named map[string]*declaration // by its first name
}

// A longName is one of the long names of a flag.
type longName struct {
	name string
	*declaration
}

// A declaration is what the command line's grammar needs to know of a flag.
type declaration struct {
	name    string // the first of its names
	plain   string // the name it goes by in Argv
	takes   arity
	absent  string // the value it has when none is given
	repeats bool   // cli keeps all its values, not just one
	own     bool   // it has the category Own
}

// Own is the category of flags that the GNU program of the same purpose does not
// have. An abbreviation stands for the others first, so that a script written for
// that program means the same.
const Own = "own"

// An arity says whether an option takes a value: has_arg of struct option.
type arity int

const (
	noValue       arity = iota // no_argument
	aValue                     // required_argument
	optionalValue              // optional_argument, of long names only
)

// declare reads the table off the flags of an app.
func declare(flags []cli.Flag) table {
	t := table{
		short: make(map[string]*declaration),
		named: make(map[string]*declaration),
	}
	for _, f := range flags {
		names := f.Names()
		d := describe(f, names)
		t.named[d.name] = d
		for _, name := range names {
			t.add(name, d)
		}
	}
	return t
}

// add enters one name of a flag.
func (t *table) add(name string, d *declaration) {
	if len(name) == 1 {
		t.short[name] = d
		return
	}
	t.long = append(t.long, longName{name, d})
}

// describe reads a single flag.
func describe(f cli.Flag, names []string) *declaration {
	d := &declaration{name: names[0], plain: plainName(names), takes: aValue}
	if f, ok := f.(cli.DocGenerationFlag); ok && !f.TakesValue() {
		d.takes = noValue
	}
	if f, ok := f.(cli.DocGenerationSliceFlag); ok {
		d.repeats = f.IsSliceFlag()
	}
	if f, ok := f.(cli.CategorizableFlag); ok {
		d.own = f.GetCategory() == Own
	}
	if f, ok := f.(*OptionalString); ok {
		d.takes, d.absent = optionalValue, f.Absent
	}
	return d
}

// plainName is the first long name, or the first name if none is long.
func plainName(names []string) string {
	for _, name := range names {
		if len(name) > 1 {
			return name
		}
	}
	return names[0]
}

// match finds the long names that a name on the command line may stand for:
// the one it is, or those it begins, those of category Own only if there are no
// others.
func (t table) match(given string) []longName {
	for _, l := range t.long {
		if l.name == given {
			return []longName{l}
		}
	}
	if found := t.abbreviated(given, false); len(found) > 0 {
		return found
	}
	return t.abbreviated(given, true)
}

// abbreviated finds the names that begin as given. Names of the same flag as the
// first one found are no competition to it and are left out.
func (t table) abbreviated(given string, own bool) (found []longName) {
	for _, l := range t.long {
		if l.own != own || !strings.HasPrefix(l.name, given) {
			continue
		}
		if len(found) == 0 || l.declaration != found[0].declaration {
			found = append(found, l)
		}
	}
	return found
}
