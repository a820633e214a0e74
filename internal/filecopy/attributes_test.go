package filecopy

import (
	"encoding/hex"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

func TestTheMinimalListIsWhatTheKernelMakesOfAMode(t *testing.T) {
	// user::rwx group::r-x other::--x, as setfacl -n -m writes it
	const want = "0200000001000700ffffffff04000500ffffffff20000100ffffffff"
	if got := hex.EncodeToString(attr.MinimalACL(0o751)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	t.Chdir(t.TempDir())
	write(t, "a", "")
	h := attr.Named(place.Path("a"))
	if err := h.SetACL(attr.AccessACL, attr.MinimalACL(0o751)); attr.NoACLs(err) {
		testfs.Unavailable(t, "the temporary directory has no access control lists")
	} else if err != nil {
		t.Fatal(err)
	}
	if mode := stat(t, "a").Mode & attr.Permissions; mode != 0o751 {
		t.Errorf("mode %o", mode)
	}
	if list, err := h.GetACL(attr.AccessACL); list != nil || err != nil {
		t.Errorf("the kernel keeps %x, error %v", list, err)
	}
}

// Both ways to reach a file's attributes do the same.
func TestHandlesByDescriptorAndByName(t *testing.T) {
	for _, kind := range []string{"ext4", "tmpfs"} {
		t.Run(kind, func(t *testing.T) {
			t.Chdir(testfs.Shared(t, kind))
			mkdir(t, "d")
			dir, err := place.OpenDirectory(place.Path("d"), new(unix.Stat_t), false)
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			write(t, "d/a", "")
			fd, err := unix.Open("d/a", unix.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			for name, h := range map[string]attr.Handle{
				"descriptor": attr.Opened(fd, place.In(dir, "a")),
				"name":       attr.Named(place.In(dir, "a")),
				"path":       attr.Named(place.Path("d/a")),
			} {
				write(t, "d/a", "")
				atime, mtime := unix.Timespec{Sec: 5, Nsec: 6}, unix.Timespec{Sec: 7, Nsec: 999_999_999}
				for _, err := range []error{h.Chown(7, 8), h.Chmod(0o4711), h.Touch(atime, mtime)} {
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
				st := stat(t, "d/a")
				if st.Mode&07777 != 0o4711 || st.Uid != 7 || st.Gid != 8 || st.Atim != atime || st.Mtim != mtime {
					t.Errorf("%s: %+v", name, st)
				}
				list := append(attr.MinimalACL(0o640), 0x02, 0, 4, 0, 99, 0, 0, 0) // and user 99, read
				list = append(list[:12:12], append(list[28:], list[12:28]...)...)
				list = append(list[:28:28], append([]byte{0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff}, list[28:]...)...)
				if err := h.SetACL(attr.AccessACL, list); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if got, err := h.GetACL(attr.AccessACL); string(got) != string(list) {
					t.Errorf("%s: list %x, want %x, error %v", name, got, list, err)
				}
				if err := h.RemoveACL(attr.AccessACL); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestAnExistingFileIsNotReadableByThoseWhoShallNotRead(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "src", "secret")
	if err := os.Chmod("src", 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, "dst", "public")
	r := newRun(t, Options{Preserve: Mode})
	src := opened(t, "src", unix.O_RDONLY)
	e := &entry{src: src.at, dst: place.Path("dst"), stat: src.stat, fd: src.fd, decision: decision{action: WriteInto, found: stat(t, "dst")}}
	dst, p := r.openDest(e, src)
	if p != nil {
		t.Fatal(p)
	}
	defer unix.Close(dst.fd)
	if mode := stat(t, "dst").Mode & attr.Permissions; mode != 0o600 {
		t.Errorf("mode %o before the contents come", mode)
	}
}

func TestSetIDBitsAreNotGivenToANewOwner(t *testing.T) {
	testfs.NeedRoot(t)
	t.Chdir(t.TempDir())
	write(t, "src", "")
	write(t, "dst", "")
	if err := os.Chmod("src", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown("dst", 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if err := unix.Chmod("dst", 0o6711); err != nil {
		t.Fatal(err)
	}
	copyOne(t, Options{Preserve: Mode | Ownership | Timestamps}, "dst", "src").clean(t)
	if mode := stat(t, "dst").Mode & 07777; mode != 0o755 {
		t.Errorf("mode %o", mode)
	}
}
