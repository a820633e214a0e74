package testfs

import (
	_ "embed"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// packages is the list of Debian packages that scripts/test.sh installs.
//
//go:embed packages.txt
var packages string

// Need returns the path of a program that the test cannot do without.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Unavailable(t, Missing(program))
	}
	return path
}

// Missing says that a program is missing, and which Debian package has it.
func Missing(program string) string {
	for line := range strings.Lines(packages) {
		words := strings.Fields(line)
		if len(words) > 1 && slices.Contains(strings.Split(words[1], ","), program) && words[0] != program {
			return program + " is missing (package " + words[0] + ")"
		}
	}
	return program + " is missing"
}

// NeedRoot is for tests of what only root can set up.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Unavailable(t, NotRoot)
	}
}

// NotRoot is why tests are skipped for an ordinary user.
const NotRoot = "not root"

// Unavailable ends a test that lacks something: it is skipped, or under CI=true
// failed, for the given reason.
func Unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("cannot be skipped under CI=true: ", reason)
	}
	t.Skip(reason)
}
