package scripts_test

import (
	"debug/buildinfo"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
)

// The MIT and BSD licences ask for their notices beside binaries.
func TestTheNoticesAreThoseOfTheModulesInTheBinaries(t *testing.T) {
	text, err := os.ReadFile("../THIRD_PARTY_LICENSES")
	if err != nil {
		t.Fatal(err)
	}
	rule := strings.Repeat("-", 60) + "\n"
	parts := strings.Split(string(text), rule)[1:] // a heading and its notice in turn
	notices := map[string]string{}
	for i := 0; i+1 < len(parts); i += 2 {
		notices[strings.TrimSpace(parts[i])] = strings.TrimSpace(parts[i+1])
	}

	licences := map[string]string{"The Go runtime and standard library": filepath.Join(goList(t, "GOROOT"), "LICENSE")}
	for _, tool := range []string{"zcat", "ztee", "zcp", "zpipe"} {
		info, err := buildinfo.ReadFile(filepath.Join(testbin.Dir(t), tool))
		if err != nil {
			t.Fatal(err)
		}
		for _, module := range info.Deps {
			licences[module.Path] = filepath.Join(goList(t, module.Path), "LICENSE")
		}
	}

	if got, want := slices.Sorted(maps.Keys(notices)), slices.Sorted(maps.Keys(licences)); !slices.Equal(got, want) {
		t.Fatalf("there are notices for %q, the binaries contain %q", got, want)
	}
	for name, file := range licences {
		licence, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(words(string(licence)), words(notices[name])) {
			t.Errorf("the notice of %s is not in %s", name, file)
		}
	}
}

// goList is the directory of a module, or of Go itself.
func goList(t *testing.T, name string) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", name)
	if name == "GOROOT" {
		cmd = exec.Command("go", "env", name)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	return strings.TrimSpace(string(out))
}

// words is a text without its line breaks and bullets.
func words(text string) string {
	return strings.Join(regexp.MustCompile(`[^\s*]+`).FindAllString(text, -1), " ")
}
