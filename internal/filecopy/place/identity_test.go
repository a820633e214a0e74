package place

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestIdentitiesAreFoundAgain(t *testing.T) {
	var s Identities
	const many = 100_000
	for i := range uint64(many) {
		s.Add(Identity{FileID{i % 3, i * 4096}, int64(i)})
	}
	for i := range uint64(many) {
		if born, ok := s.Born(FileID{i % 3, i * 4096}); !ok || born != int64(i) {
			t.Fatalf("file %d: born %d, %v", i, born, ok)
		}
		if _, ok := s.Born(FileID{i % 3, i*4096 + 1}); ok {
			t.Fatalf("file %d: its neighbour is known", i)
		}
	}
	s.Add(Identity{FileID{0, 0}, 7}) // a later file with the number
	if born, ok := s.Born(FileID{0, 0}); !ok || born != 7 {
		t.Errorf("born %d, %v", born, ok)
	}
	if _, ok := s.Born(FileID{9, 0}); ok {
		t.Error("a file of a device that was never met is known")
	}
	slots := 0
	for _, on := range s.devices {
		slots += len(on.slots)
	}
	if bytes := slots * 16; bytes > many*48 {
		t.Errorf("%d files take %d bytes", many, bytes)
	}
}

func TestAnIdentityIsThatOfTheFileItself(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "f", "")
	fd, err := unix.Open("f", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	open, err := IdentifyOpen(fd)
	if err != nil || open.FileID != IDOf(stat(t, "f")) {
		t.Errorf("%v, %v, want number %v", open, err, IDOf(stat(t, "f")))
	}
	if named, err := Identify(Place{nil, "f"}); named != open {
		t.Errorf("by its name %v, %v, want %v", named, err, open)
	}
	if err := os.Symlink("f", "l"); err != nil {
		t.Fatal(err)
	}
	if link, _ := Identify(Place{nil, "l"}); link.FileID != IDOf(stat(t, "l")) {
		t.Error(fmt.Sprint("the link was followed: ", link))
	}
	if _, err := Identify(Place{nil, "missing"}); err != unix.ENOENT {
		t.Errorf("missing: %v", err)
	}
}
