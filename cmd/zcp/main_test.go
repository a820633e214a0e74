package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/testfs"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"zcp": main})
}

// Each script in testdata pins one behaviour, as a user would see it. A script
// begins with [missing:root] or [missing:PROGRAM] and skip for what it needs.
// For root $DISK is a directory on a filesystem of 1 MiB.
func TestScripts(t *testing.T) {
	disk := ""
	if os.Geteuid() == 0 {
		disk = testfs.MountSized(t, "tmpfs", 1<<20)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("DISK", disk)
			return nil
		},
		Condition: missing,
	})
}

// missing reports whether a script cannot have what it needs. Where CI=true
// that is an error.
func missing(condition string) (bool, error) {
	var need string
	if n, _ := fmt.Sscanf(condition, "missing:%s", &need); n != 1 {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	absent := os.Geteuid() != 0
	switch need {
	case "root":
	case "no-selinux":
		return hasSELinux(), nil // then there is nothing to see
	default:
		_, err := exec.LookPath(need)
		absent = err != nil
	}
	if absent && os.Getenv("CI") == "true" {
		return false, fmt.Errorf("%s is missing, and nothing may be skipped under CI=true", need)
	}
	return absent, nil
}

func TestEveryProblemHasAMessage(t *testing.T) {
	for w := filecopy.OmittedDirectory; w <= filecopy.SetXattrs; w++ {
		if int(w) >= len(messages) || len(messages[w].names) == 0 {
			t.Errorf("no message for %v", &filecopy.Problem{What: w})
		}
	}
}
