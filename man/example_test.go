package man_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

func TestExamplesOfThePagesRun(t *testing.T) {
	for _, page := range pages(t) {
		for i, script := range examples(t, page) {
			t.Run(fmt.Sprintf("%s_%d", page, i+1), func(t *testing.T) { runScript(t, script) })
		}
	}
}

// runScript runs a script as a user would, in a directory with files to work
// on, and returns what it prints. With pipefail the status of each command of a
// pipeline counts.
func runScript(t *testing.T, script string) []byte {
	t.Helper()
	testfs.Need(t, "bash")
	cmd := exec.Command("bash", "-eu", "-o", "pipefail", "-c", script)
	cmd.Dir = t.TempDir()
	fill(t, cmd.Dir)
	cmd.Env = append(cmd.Environ(), "PATH="+testbin.Dir(t)+":"+links(t)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return out
}

// links returns a directory with the tools under their other names.
func links(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, tool := range called {
		if err := os.Symlink(filepath.Join(testbin.Dir(t), tool), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fill makes the files that the examples use.
func fill(t *testing.T, dir string) {
	t.Helper()
	for name, content := range map[string]string{
		"access.log":    strings.Repeat("GET / 200 512\nGET /nothing 404 64\n", 20_000),
		"build.sh":      "echo compiling; echo 'warning: unused' >&2\n",
		"disk.img":      strings.Repeat("a block of a disk image, more or less\n", 100_000),
		"footer.txt":    "Yours\n",
		"header.txt":    "A letter\n",
		"notes.txt":     "a\ttab, a space \n\nand a r\xe9sum\xe9\r\n",
		"src/main.go":   "package main\n",
		"src/doc/intro": "It begins here.\n",
	} {
		write(t, filepath.Join(dir, name), content)
	}
}

// write makes a file, and the directories above it.
func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// examples are the literal displays of the section EXAMPLES.
func examples(t *testing.T, page string) []string {
	t.Helper()
	var scripts []string
	section, display := "", (*bytes.Buffer)(nil)
	for _, line := range lines(t, page) {
		switch {
		case strings.HasPrefix(line, ".Sh "):
			section = strings.TrimSuffix(strings.TrimPrefix(line, ".Sh "), `\&`)
		case section == "EXAMPLES" && strings.HasPrefix(line, ".Bd -literal"):
			display = new(bytes.Buffer)
		case display != nil && line == ".Ed":
			scripts = append(scripts, display.String())
			display = nil
		case display != nil:
			fmt.Fprintln(display, unescaped(t, line))
		}
	}
	if section == "" || display != nil {
		t.Fatalf("%s has no sections, or a display that does not end", page)
	}
	return scripts
}

// unescaped is a line as a reader sees it. It knows the escapes that a shell
// script needs: the backslash, and characters that roff would turn into others.
func unescaped(t *testing.T, line string) string {
	t.Helper()
	if strings.HasPrefix(line, ".") {
		t.Fatalf("a macro within an example: %s", line)
	}
	return strings.NewReplacer(`\e`, `\`, `\&`, "", `\-`, "-", `\(aq`, "'", `\(ga`, "`", `\(ti`, "~", `\(ha`, "^").Replace(line)
}
