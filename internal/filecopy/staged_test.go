package filecopy

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
)

func TestAStagedCopyIsNotReadableByThoseWhoMayNotReadTheOldFile(t *testing.T) {
	for name, s := range map[string]Safety{"nameless": {Atomic: true}, "named": {Atomic: true, Resume: true}} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "src", "secret by now")
			write(t, "dst", "old")
			if err := os.Chmod("dst", 0o600); err != nil {
				t.Fatal(err)
			}
			r := newRun(t, Options{Safety: s})
			src := opened(t, "src", unix.O_RDONLY)
			e := &entry{src: src.at, dst: place.Path("dst"), stat: src.stat, fd: src.fd, decision: decision{action: Renew, found: stat(t, "dst")}}
			dst, p := r.openDest(e, src)
			if p != nil {
				t.Fatal(p)
			}
			defer dst.abandon()
			if mode := dst.stat.Mode & attr.Permissions; mode != 0o600 {
				t.Errorf("mode %o before the contents come", mode)
			}
		})
	}
}

func TestATemporaryThatAnotherTookForAbandonedIsGivenUp(t *testing.T) {
	t.Chdir(t.TempDir())
	made := opened(t, "t", unix.O_WRONLY|createFlags)
	other := opened(t, "t", unix.O_RDONLY)
	if err := place.TryLock(other.fd); err != nil {
		t.Fatal(err)
	}
	if err := made.hold(made.at); err != unix.EEXIST { // it is about to be removed
		t.Errorf("locked by another: %v", err)
	}
	if err := unix.Flock(other.fd, unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove("t"); err != nil {
		t.Fatal(err)
	}
	if err := made.hold(made.at); err != unix.EEXIST {
		t.Errorf("removed: %v", err)
	}
}

func TestAnotherFilesNameIsNotContinuedAsATemporary(t *testing.T) {
	for name, link := range map[string]func(from, to string) error{"hard link": os.Link, "symbolic link": os.Symlink} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			data := string(random(100_000))
			write(t, "src", data)
			write(t, "precious", data[:50_000])
			if err := link("precious", place.Path("dst").Temporary(0).Name); err != nil {
				t.Fatal(err)
			}
			r := newRun(t, Options{Safety: Safety{Atomic: true, Resume: true}})
			r.To("dst", "src", false)
			r.clean(t)
			if text(t, "precious") != data[:50_000] || text(t, "dst") != data {
				t.Errorf("the other file has %d bytes, the copy %d", len(text(t, "precious")), len(text(t, "dst")))
			}
			only(t, ".", "dst", "precious", "src")
		})
	}
}
