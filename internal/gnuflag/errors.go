package gnuflag

import (
	"fmt"
	"strings"
)

// A UsageError is a mistake on the command line. Its text is the one that
// getopt_long prints, without the program's name in front: bytes of the command
// line stand in it as they came.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// ambiguous says which names an abbreviation could have meant.
func ambiguous(arg string, matches []longName) error {
	var names strings.Builder
	for _, m := range matches {
		fmt.Fprintf(&names, " '--%s'", m.name)
	}
	return usagef("option '%s' is ambiguous; possibilities:%s", arg, &names)
}
