// Package oracle runs a tool and the system's tool of the same purpose in equal
// worlds, so that a test can compare what comes of it: what was printed, every
// file, and how the process ended.
//
// A world is drawn by rapid or set up by hand. It is built anew for each run in
// a directory of its own, and the tool is called by the name of the other one.
// Where the test runs as root, the tools run as nobody, from whom a file can be
// kept.
package oracle

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
	"zeroutils/internal/testfs"
)

// A Program is an executable and the name it is called by.
type Program struct{ Path, Name string }

// GNU returns the system's program of the given name, which must be of GNU
// coreutils.
func GNU(t testing.TB, name string) Program {
	t.Helper()
	path := testfs.Need(t, name)
	out, err := exec.Command(path, "--version").Output()
	if err != nil || !strings.Contains(string(out), "GNU coreutils") {
		testfs.Unavailable(t, path+" is not of GNU coreutils")
	}
	return Program{path, name}
}

// Check compares in 300 random worlds, in 10,000 with ZEROUTILS_LONG=1.
func Check(t *testing.T, compare func(*rapid.T)) {
	t.Helper()
	cases := 300
	if property.Long() {
		cases = 10_000
	}
	property.Check(t, cases, compare)
}

// An Outcome is what is left when a program has ended.
type Outcome struct {
	Status string // "exit status 1", "signal: broken pipe"
	Stdout []byte // what came through a pipe
	Stderr string
	Files  map[string]string // what is in the directory: type, permissions and content
}

// patience is when a program counts as hanging.
const patience = time.Minute

// Difference says in what two outcomes differ, or "".
func Difference(ours, theirs Outcome) string {
	var all []string
	add := func(what, a, b string) {
		if a != b {
			all = append(all, fmt.Sprintf("%s: ours %s, theirs %s", what, brief(a, b), brief(b, a)))
		}
	}
	add("status", ours.Status, theirs.Status)
	add("standard error", ours.Stderr, theirs.Stderr)
	add("standard output", string(ours.Stdout), string(theirs.Stdout))
	for name, content := range theirs.Files {
		add(fmt.Sprintf("file %q", name), ours.Files[name], content)
	}
	for name, content := range ours.Files {
		if _, both := theirs.Files[name]; !both {
			add(fmt.Sprintf("file %q", name), content, "")
		}
	}
	return strings.Join(all, "\n")
}

// Shorten makes outputs equal of which one is the beginning of the other.
func Shorten(ours, theirs *Outcome) {
	a, b := string(ours.Stdout), string(theirs.Stdout)
	if shorten(&a, &b) {
		ours.Stdout, theirs.Stdout = []byte(a), []byte(b)
	}
	for name, content := range ours.Files {
		other := theirs.Files[name]
		shorten(&content, &other)
		ours.Files[name], theirs.Files[name] = content, other
	}
}

func shorten(a, b *string) bool {
	n := min(len(*a), len(*b))
	if (*a)[:n] != (*b)[:n] {
		return false
	}
	*a, *b = (*a)[:n], (*b)[:n]
	return true
}

// brief shows where a string departs from another one.
func brief(s, other string) string {
	at := 0
	for at < min(len(s), len(other)) && s[at] == other[at] {
		at++
	}
	from := max(0, at-20)
	const enough = 100
	return fmt.Sprintf("%d bytes, from byte %d on %q", len(s), from, s[from:min(len(s), from+enough)])
}

// Run builds the world and runs the program in it.
func (w World) Run(t TB, p Program, args ...string) (o Outcome) {
	t.Helper()
	b, err := w.build()
	if err == nil {
		defer b.remove()
		o, err = b.run(p, args)
	}
	if err != nil {
		t.Fatal("oracle: ", err)
	}
	return o
}

// A TB is a *testing.T or a *rapid.T.
type TB interface {
	Helper()
	Fatal(args ...any)
}

var errHangs = errors.New("it hangs")
