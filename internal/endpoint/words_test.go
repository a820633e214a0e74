package endpoint

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// What the shell would expand is left out.
func TestWordsAreThoseOfTheShell(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		pieces := []string{"a", "bc", " ", "\t", "\n", "'", `"`, `\'`, `\"`, `\\`, `\ `, `\a`, "é"}
		command := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "")
		got, err := words(command)
		// The shell takes a new line for the end of a command.
		const script = `eval "set -- $1"; for word; do printf '%s\0' "$word"; done`
		flat := strings.ReplaceAll(command, "\n", " ")
		out, failed := exec.Command("sh", "-c", script, "sh", flat).Output()
		if (err != nil) != (failed != nil) {
			t.Fatalf("%q: %v, the shell %v", command, err, failed)
		}
		if err != nil {
			return
		}
		if flat != command {
			got, _ = words(flat)
		}
		want := strings.Split(string(out), "\x00")
		if want = want[:len(want)-1]; !slices.Equal(got, want) {
			t.Fatalf("%q is %q, to the shell %q", command, got, want)
		}
	})
}
