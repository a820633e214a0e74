package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// As tee, whose other outputs get everything. Here standard error is a terminal.
func TestWithSIGPIPEIgnoredOrBlockedABrokenPipeIsNothingToSay(t *testing.T) {
	testfs.Need(t, "script")
	for _, options := range []string{
		"--ignore-signal=PIPE ztee", "--ignore-signal=PIPE ztee --progress",
		"--block-signal=PIPE ztee", "--block-signal=PIPE ztee --progress",
	} {
		line := `(until [ -e gone ]; do :; done; seq 300000) | env ` + options + ` out | touch gone
			echo status ${PIPESTATUS[1]}`
		cmd := exec.Command("script", "-qec", "bash -c '"+line+"'", os.DevNull)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "PATH="+testbin.Dir(t)+":"+os.Getenv("PATH"))
		said, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(said), "status 0\r\n") || strings.Contains(string(said), "ztee:") {
			t.Errorf("%q: %v, %q", options, err, said)
		}
		want, err := exec.Command("seq", "300000").Output()
		got, _ := os.ReadFile(filepath.Join(cmd.Dir, "out"))
		if err != nil || string(got) != string(want) {
			t.Errorf("%q: the file has %d bytes of %d, %v", options, len(got), len(want), err)
		}
	}
}
