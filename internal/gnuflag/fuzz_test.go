package gnuflag_test

import (
	"errors"
	"strings"
	"testing"

	"zeroutils/internal/gnuflag"
)

// FuzzParse takes a whole command line as one string, its arguments separated
// by the one byte that none can contain.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"",
		"a\x00-r\x00b\x00--force\x00c",
		"-rtDIR\x00-t\x00--\x00--\x00-x",
		"--ref=auto\x00--backup\x00-b\x00--backup=",
		"--time=a,b\x00--time\x00\xff\x00--time= ",
		"-n5\x00-n\x00-x\x00-n\x00",
		"help\x00h\x00-\x00\x00--\x00--",
		"--re", "--foo=bar", "-z", "-r\xc3\xa9", "-t", "--tar", "--recursive=", "--=", "---",
	} {
		f.Add(line, false)
		f.Add(line, true)
	}
	f.Fuzz(func(t *testing.T, line string, posixlyCorrect bool) {
		args := strings.Split(line, "\x00")
		parsed, err := gnuflag.Parse(flags(), args, posixlyCorrect)
		var usage *gnuflag.UsageError
		if err != nil && (!errors.As(err, &usage) || err.Error() == "") {
			t.Fatalf("Parse(%q) fails with %#v", args, err)
		}
		// What came before a mistake is a line like any other.
		sameInCli(t, parsed)
	})
}
