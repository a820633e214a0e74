package oracle

import (
	"os/exec"
	"strings"
	"testing"
)

func TestTheNewestProgramRunsBesideTheSystem(t *testing.T) {
	mv := Newest(t, "coreutils", "mv")
	out, err := exec.Command(mv.Path, "--version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "mv (GNU coreutils) ") {
		t.Fatalf("%s --version: %q, %v", mv.Path, out, err)
	}
	out, _ = exec.Command(mv.Path).CombinedOutput()
	if !strings.HasPrefix(string(out), "mv: missing file operand\n") {
		t.Errorf("without operands it says %q", out)
	}
}
