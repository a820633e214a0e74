package tool

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Packages that take long to initialize, or carry others that do, would be felt
// at every start of a tool.
func TestToolsAreMadeWithoutPackagesThatStartSlowly(t *testing.T) {
	touch(t, "../../cmd/*/*.go", "../*/*.go", "../../go.mod")
	out, err := exec.Command("go", "list", "-deps", "-tags", "urfave_cli_no_docs", "../../cmd/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "zeroutils/internal/tool") {
		t.Fatalf("the tools are made of %q", packages)
	}
	for _, slow := range []string{"net", "net/http", "crypto/tls", "encoding/gob", "html/template", "go/ast", "testing"} {
		if slices.Contains(packages, slow) {
			t.Errorf("%s is one of them", slow)
		}
	}
}

// touch opens files that are no part of the test but of what it builds, so that
// the go command does not take an old result for a new source.
func touch(t *testing.T, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if _, err := os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
}
