package filecopy

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

func TestAReplacementThatCannotBeMadeLeavesTheOldFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "old", "old")
	r := newRun(t, recursive())
	e := &entry{src: place.Path("src"), dst: place.Path("old"), decision: decision{action: PutBeside}}
	p := r.put(e, CreateSpecial, func(place.Place) error { return unix.EPERM })
	if p == nil || p.What != CreateSpecial || p.Err != unix.EPERM {
		t.Errorf("%v", p)
	}
	if got := text(t, "old"); got != "old" || len(r.removed) > 0 {
		t.Errorf("the file is %q, removed %q", got, r.removed)
	}
}

func TestTemporaryNamesThatAreTakenAreNotUsed(t *testing.T) {
	t.Chdir(t.TempDir())
	taken := 3
	made, err := place.Claim(place.Path("d/file"), func(p place.Place) error {
		if taken--; taken >= 0 {
			return unix.EEXIST
		}
		return nil
	})
	if err != nil || made.Name[:2] != "d/" {
		t.Errorf("%q, %v", made.Name, err)
	}
	if _, err := place.Claim(place.Path("file"), func(place.Place) error { return unix.EEXIST }); err != unix.EEXIST {
		t.Errorf("error %v", err)
	}
}

func TestAFileThatCannotBeMovedIntoPlaceIsRemoved(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "new", "")
	mkdir(t, "dir")
	if err := takePlace(place.Path("new"), place.Path("dir")); err != unix.EEXIST && err != unix.EISDIR {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat("new"); err == nil {
		t.Error("the new file stays")
	}
}
