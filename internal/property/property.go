// Package property runs property tests. It is rapid.Check for a project whose
// CI has to say the same of the same code each time: with CI=true in the
// environment the cases are always the same ones. Elsewhere each run draws new
// ones, and a failing one prints the -rapid.seed that repeats it.
package property

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// Usual is a number of cases for properties that take microseconds.
const Usual = 100

// ciSeed draws the cases of CI.
const ciSeed = 1

// Check is rapid.Check with the given number of cases, unless -rapid.checks
// says another one. It leaves no file behind.
func Check(t *testing.T, cases int, property func(*rapid.T)) {
	t.Helper()
	check(t, cases, os.Getenv("CI") == "true", property)
}

// CheckSame is Check with the cases of CI, unless -rapid.seed says otherwise. It
// is for comparisons that find a new difference in more cases than are drawn in
// CI.
func CheckSame(t *testing.T, cases int, property func(*rapid.T)) {
	t.Helper()
	check(t, cases, true, property)
}

func check(t *testing.T, cases int, same bool, property func(*rapid.T)) {
	t.Helper()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	set := func(name, value string) {
		if given[name] {
			return
		}
		f := flag.Lookup(name)
		before := f.Value.String()
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Value.Set(before) })
	}
	set("rapid.checks", strconv.Itoa(cases))
	set("rapid.nofailfile", "true")
	if same {
		set("rapid.seed", strconv.Itoa(ciSeed))
	}
	rapid.Check(t, property)
}

// Make is Check for t.Run.
func Make(cases int, property func(*rapid.T)) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		Check(t, cases, property)
	}
}

// Long reports whether ZEROUTILS_LONG asks for a run by hand, with many times
// the cases.
func Long() bool { return os.Getenv("ZEROUTILS_LONG") != "" }
