package gnuflag

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// An OptionalString is a string flag whose value may be left out: --stats or
// --stats=json.
//
// As with GNU programs the value is only taken with '=', never from the next
// argument, and the flag's one-letter names take none at all: in cp's -b, which
// is --backup without a value, the letters that follow are options of their own.
// So it needs a long name.
//
// cli itself never sees it without a value; Line.Argv fills in Absent.
type OptionalString struct {
	cli.StringFlag
	Absent string // the value that the bare option stands for
}

// String is what cli's help shows: --backup[=CONTROL] and -b where cli alone
// would say --backup CONTROL and -b CONTROL.
func (f *OptionalString) String() string {
	names, rest, _ := strings.Cut(cli.FlagStringer(f), "\t")
	spellings := strings.Split(names, ", ")
	for i, s := range spellings {
		name, value, apart := strings.Cut(s, " ")
		if apart && strings.HasPrefix(name, "--") {
			name += "[=" + value + "]"
		}
		spellings[i] = name
	}
	return strings.Join(spellings, ", ") + "\t" + rest
}
