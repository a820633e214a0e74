package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zeroutils/internal/scripttest"
	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// Where a script says so in $GRACE, zcp waits longer for system calls to return.
func TestMain(m *testing.M) {
	if longer, err := time.ParseDuration(os.Getenv("GRACE")); err == nil {
		grace = longer
	}
	scripttest.Main(m, main, "zcp", "mv", "zmv")
}

// For root $DISK is a directory on a filesystem of 1 MiB.
func TestScripts(t *testing.T) {
	disk := ""
	if os.Geteuid() == 0 {
		disk = testfs.MountSized(t, "tmpfs", 1<<20)
	}
	scripttest.Run(t, "DISK="+disk)
}

func TestAClosedStandardInputIsReportedIfAnAnswerIsWanted(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(name, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for operands, want := range map[string]string{
		"a b":   "zcp: overwrite 'b'? zcp: error closing file: Bad file descriptor\n1\n",
		"a new": "0\n",
	} {
		out, err := exec.Command("sh", "-c", `"$1" -i $2 <&- 2>&1; echo $?`, "sh", filepath.Join(testbin.Dir(t), "zcp"), operands).Output()
		if err != nil || string(out) != want {
			t.Errorf("zcp -i %s: %q, %v, want %q", operands, out, err, want)
		}
	}
}
