package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// packages are those of the project whose compiled tests run here.
var packages = []string{"splice", "filecopy"}

// pack runs the tests of a package that its .run file names.
func (t *try) pack(name string) {
	t.must(t.load("fuse", "overlay", "xfs", "btrfs"))
	pattern, err := os.ReadFile("/tests/" + name + ".run")
	t.must(err)
	cmd := exec.Command("/tests/"+name+".test", "-test.short", "-test.v", "-test.timeout=30m", "-test.run="+string(pattern))
	cmd.Dir = "/tests"
	out, err := os.CreateTemp("", "")
	t.must(err)
	defer os.Remove(out.Name())
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, readErr := os.ReadFile(out.Name())
	t.must(readErr)
	passed, skipped := strings.Count(string(text), "\n--- PASS: "), strings.Count(string(text), "--- SKIP: ")
	if err != nil {
		t.fault("its tests", "%v: %s", err, failures(string(text)))
		return
	}
	t.works("its tests", fmt.Sprintf("%d passed, %d skipped", passed, skipped))
}

// failures picks what a test says of failing.
func failures(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "--- FAIL") || strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines[:min(len(lines), 30)], "; ")
}
