package gnuflag

import (
	"flag"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// A table holds what a program declares: struct option and optstring of
// getopt_long(3).
type table struct {
	long  []longName              // in the order declared, as messages list them
	short map[string]*declaration // by its letter, a single byte
}

// A longName is one of the long names of a flag.
type longName struct {
	name string
	*declaration
}

// A declaration is what the command line's grammar needs to know of a flag.
type declaration struct {
	name   string // the first of its names
	takes  arity
	absent string // the value of the bare option
	own    bool   // it has the category Own
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

// declare makes the table of an app's flags.
func declare(flags []cli.Flag) table {
	t := table{short: make(map[string]*declaration)}
	for _, f := range flags {
		names := f.Names()
		d := &declaration{name: names[0]}
		if f, ok := f.(cli.CategorizableFlag); ok {
			d.own = f.GetCategory() == Own
		}
		switch f := f.(type) {
		case *OptionalString:
			d.takes, d.absent = optionalValue, f.Absent
		case *cli.StringFlag:
			d.takes = aValue
		case *cli.BoolFlag:
		default:
			panic(fmt.Sprintf("gnuflag: --%s is a %T", d.name, f))
		}
		for _, name := range names {
			if len(name) == 1 {
				t.short[name] = d
			} else {
				t.long = append(t.long, longName{name, d})
			}
		}
	}
	return t
}

// match returns the long names that a name on the command line may stand for:
// the name itself, or those that begin with it, of category Own only if there
// are no others.
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

// abbreviated returns the names that begin as given. Further names of the first
// flag found do not make the name ambiguous and are left out.
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

// An OptionalString is a string flag whose value may be left out: --stats or
// --stats=json. Like GNU programs it takes the value only after '=', never from
// the next argument, and its one-letter names take none: in cp's -b, which is
// --backup without a value, the letters that follow are options of their own.
type OptionalString struct {
	cli.StringFlag
	Absent string // the value of the bare option
}

// Context returns the values of the options for cli's accessors: of each flag
// the last one, under its first name. IsSet is true for what was given.
func (l Line) Context(flags []cli.Flag) (*cli.Context, error) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	for _, f := range flags {
		if err := f.Apply(set); err != nil {
			return nil, err
		}
	}
	for _, o := range l.Options {
		value := o.Value
		if _, ok := set.Lookup(o.Name).Value.(interface{ IsBoolFlag() bool }); ok {
			value = "true"
		}
		if err := set.Set(o.Name, value); err != nil {
			return nil, err
		}
	}
	return cli.NewContext(nil, set, nil), nil
}
