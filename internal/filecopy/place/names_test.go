package place

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNamesOfALargeDirectoryComeInTheOrderOfTheirInodes(t *testing.T) {
	dir := t.TempDir()
	want := []string{"\xff\xfe\x01", "new\nline", strings.Repeat("l", 255), "..."}
	for i := range 5000 {
		want = append(want, fmt.Sprintf("%x-%d", i*7919%5000, i))
	}
	for _, name := range want {
		write(t, filepath.Join(dir, name), "")
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	names, err := ReadNames(fd, make([]byte, DirentBuffer))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var last uint64
	for _, entry := range names.Entries {
		name := names.Name(entry)
		if entry.ino < last {
			t.Fatalf("%q has inode %d, after %d", name, entry.ino, last)
		}
		if st := stat(t, filepath.Join(dir, name)); st.Ino != entry.ino {
			t.Fatalf("%q: inode %d, want %d", name, entry.ino, st.Ino)
		}
		last = entry.ino
		got = append(got, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d names, want %d", len(got), len(want))
	}
}

func TestADirectoryThatCannotBeReadIsAnError(t *testing.T) {
	if _, err := ReadNames(-1, make([]byte, DirentBuffer)); err != unix.EBADF {
		t.Errorf("error %v, want EBADF", err)
	}
}
