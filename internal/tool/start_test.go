package tool

import (
	"os/exec"
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
