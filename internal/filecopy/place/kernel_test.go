package place

import (
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// On filesystems that do not know RENAME_NOREPLACE, too.
func TestANewNameReplacesNothing(t *testing.T) {
	for _, kind := range testfs.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Chdir(testfs.Shared(t, kind))
			write(t, "a", "one")
			write(t, "b", "two")
			mkdir(t, "d")
			for _, from := range []string{"a", "d"} {
				for _, to := range []string{"b", "d"} {
					if err := RenameNew(Place{nil, from}, Place{nil, to}); from != to && err != unix.EEXIST {
						t.Errorf("%s to %s: %v", from, to, err)
					}
				}
			}
			for _, names := range [][2]string{{"a", "c"}, {"d", "e"}} {
				if err := RenameNew(Place{nil, names[0]}, Place{nil, names[1]}); err != nil {
					t.Errorf("%v: %v", names, err)
				}
			}
			only(t, ".", "b", "c", "e")
			if text(t, "b") != "two" || text(t, "c") != "one" {
				t.Error("contents are lost")
			}
		})
	}
}
