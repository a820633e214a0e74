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
		unavailable(t, tool+" is not installed")
	}
	return path
}

// NeedRoot is for tests of what only root can set up.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		unavailable(t, "needs root")
	}
}

// unavailable ends the test.
func unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("cannot be skipped under CI=true: ", reason)
	}
	t.Skip(reason)
}
