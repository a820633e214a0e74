package testfs

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns the path of a program that the test cannot do without.
func Need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		Unavailable(t, tool+" is not installed")
	}
	return path
}

// NeedRoot is for tests of what only root can set up.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Unavailable(t, "needs root")
	}
}

// Unavailable ends a test that lacks something: it is skipped, or under CI=true
// failed, for the given reason.
func Unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("cannot be skipped under CI=true: ", reason)
	}
	t.Skip(reason)
}
