package filecopy

import (
	"os"
	"testing"

	"zeroutils/internal/filecopy/place"
)

// What becomes of a source and of its destination is decided before anything
// is touched.
func TestDecisions(t *testing.T) {
	atomic, move := Safety{Atomic: true}, Safety{Move: true}
	simple := Backup{Control: Simple, Suffix: "~"}
	cases := []struct {
		name    string
		options Options
		source  string // all of which are there
		dest    string
		want    Action
		refusal What // if want is undecided
	}{
		{"a new file", Options{}, "file", "new", Create, 0},
		{"over a file", Options{}, "file", "old", WriteInto, 0},
		{"through a link", Options{}, "file", "link", WriteInto, 0},
		{"over a file, at once", Options{Safety: atomic}, "file", "old", Renew, 0},
		{"through a link, at once", Options{Safety: atomic}, "file", "link", Renew, 0},
		{"replaced", Options{Existing: Replace}, "file", "old", PutBeside, 0},
		{"replaced, at once", Options{Existing: Replace, Safety: atomic}, "file", "old", PutBeside, 0},
		{"with a backup", Options{Backup: simple}, "file", "old", Create, 0},
		{"with a backup, at once", Options{Backup: simple, Safety: atomic}, "file", "old", PutBeside, 0},
		{"with other names", Options{Preserve: Names}, "file", "hard", PutBeside, 0},
		{"not over a file", Options{Update: UpdateNone}, "file", "old", Skip, 0},
		{"never over a file", Options{Update: UpdateNoneFail}, "file", "old", undecided, NotReplaced},
		{"itself", Options{}, "file", "file", undecided, SameFile},
		{"a new directory", recursive(), "dir", "new", Create, 0},
		{"into a directory", recursive(), "dir", "full", Fill, 0},
		{"a directory over a file", recursive(), "dir", "old", undecided, DirectoryOverFile},
		{"a file over a directory", Options{}, "file", "full", undecided, FileOverDirectory},
		{"a link over a file", recursive(), "link", "file", PutBeside, 0},
		{"moved", Options{Safety: move}, "file", "new", Rename, 0},
		{"moved over a file", Options{Safety: move, Existing: Replace}, "file", "old", Rename, 0},
		{"moved into a directory", Options{Safety: move, Recursive: true, Links: CopyLinks}, "dir", "full", Fill, 0},
		{"moved to its other name", Options{Safety: move, Existing: Replace, Links: CopyLinks}, "hard", "other", Rename, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for _, name := range []string{"file", "old", "hard"} {
				write(t, name, name)
			}
			for _, name := range []string{"dir", "full"} {
				mkdir(t, name)
			}
			if err := os.Symlink("old", "link"); err != nil {
				t.Fatal(err)
			}
			if err := os.Link("hard", "other"); err != nil {
				t.Fatal(err)
			}
			r := newRun(t, c.options)
			e := &entry{src: place.Path(c.source), dst: place.Path(c.dest), role: byUser, fd: -1}
			if err := r.look(e); err != nil {
				t.Fatal(err)
			}
			p := r.decide(e)
			if c.want == undecided && (p == nil || p.What != c.refusal) {
				t.Errorf("problem %v, want %s", p, messages[c.refusal].text)
			}
			if c.want != undecided && (p != nil || e.action != c.want) {
				t.Errorf("%s, %v, want %s", e.action, p, c.want)
			}
		})
	}
}
