package filecopy

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

func TestSafeCopiesAreMadeOnEveryFilesystem(t *testing.T) {
	for _, kind := range testfs.Kinds() {
		t.Run(kind, func(t *testing.T) {
			disk := testfs.Shared(t, kind)
			t.Chdir(t.TempDir())
			data := string(random(1<<20 + 7))
			write(t, "new", data)
			for _, s := range []Safety{{Atomic: true}, {Atomic: true, Resume: true}, {Fsync: true, Verify: true}, {Atomic: true, Fsync: true, Verify: true}} {
				write(t, filepath.Join(disk, "old"), "old")
				for _, dest := range []string{"old", "fresh"} {
					r := newRun(t, Options{Safety: s})
					r.To(filepath.Join(disk, dest), "new", false)
					r.clean(t)
					if text(t, filepath.Join(disk, dest)) != data {
						t.Errorf("%+v: %s is not the copy", s, dest)
					}
					if want := (Verified{Files: 1, Bytes: int64(len(data))}); s.Verify && (r.Verified().Files != want.Files || r.Verified().Bytes != want.Bytes) {
						t.Errorf("verified %+v", r.Verified())
					}
				}
				os.Remove(filepath.Join(disk, "fresh"))
			}
			only(t, disk, "old")
		})
	}
}

func TestFilesAreMovedToEveryFilesystemAndBack(t *testing.T) {
	for _, kind := range testfs.Kinds() {
		t.Run(kind, func(t *testing.T) {
			disk := testfs.Shared(t, kind)
			t.Chdir(t.TempDir())
			data := string(random(1<<20 + 7))
			mkdir(t, "d")
			write(t, "d/file", data)
			write(t, "d/empty", "")
			if err := os.Link("d/file", "d/link"); err != nil {
				t.Fatal(err)
			}
			if err := unix.Truncate("d/empty", 64<<20); err != nil {
				t.Fatal(err)
			}
			before := stat(t, "d/file")
			for _, way := range [][2]string{{"d", filepath.Join(disk, "d")}, {filepath.Join(disk, "d"), "back"}} {
				o := recursive()
				o.Safety, o.Existing = Safety{Move: true}, Replace
				o.Preserve = Mode | Ownership | Timestamps | Names | Xattrs
				r := newRun(t, o)
				r.To(way[1], way[0], true)
				r.clean(t)
				if place.Exists(place.Path(way[0])) {
					t.Errorf("%s is still there", way[0])
				}
			}
			after := stat(t, "back/file")
			if text(t, "back/file") != data || after.Mtim != before.Mtim || after.Nlink != 2 {
				t.Errorf("the file was %+v, is %+v", before, after)
			}
			if blocks := stat(t, "back/empty").Blocks; blocks > 64 {
				t.Errorf("the hole has %d blocks", blocks)
			}
			only(t, disk)
			only(t, "back", "empty", "file", "link")
		})
	}
}

// only fails the test unless a directory has these names in it.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Fatalf("%v, %v, want %v", entries, err, names)
	}
	for i, entry := range entries {
		if entry.Name() != names[i] {
			t.Errorf("%v, want %v", entries, names)
		}
	}
}

func TestATemporaryOfARunningCopyIsNotTaken(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "src", "new")
	p := place.Path("dst")
	var held int
	q, err := place.Claim(p, func(q place.Place) (err error) {
		held, err = place.Open(q, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
		return err
	})
	if err != nil || place.TryLock(held) != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Safety: Safety{Atomic: true}}, {Safety: Safety{Atomic: true, Resume: true}}} {
		r := newRun(t, o)
		r.To("dst", "src", false)
		r.clean(t)
		if !place.Exists(q) || text(t, "dst") != "new" {
			t.Error("the temporary file is gone, or the copy not there")
		}
	}
	unix.Close(held)
	r := newRun(t, Options{Safety: Safety{Atomic: true}})
	r.To("dst", "src", false)
	r.clean(t)
	only(t, ".", "dst", "src")
}

func TestADestinationThatComesToBeMeanwhileIsNotReplaced(t *testing.T) {
	for name, s := range map[string]Safety{"nameless": {Atomic: true}, "named": {Atomic: true, Resume: true}} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "src", "new")
			r := newRun(t, Options{Safety: s})
			w, e := r.worker, &entry{src: place.Path("src"), dst: place.Path("dst"), stat: *stat(t, "src"), fd: -1}
			src, p := w.openSource(e)
			if p != nil {
				t.Fatal(p)
			}
			dst, p := w.openDest(e, src)
			if p != nil {
				t.Fatal(p)
			}
			write(t, "dst", "somebody's")
			if p := w.conclude(e, dst, src, w.fill(dst, src)); p == nil || p.What != Commit || p.Err != unix.EEXIST {
				t.Errorf("problem %v", p)
			}
			unix.Close(e.fd)
			if got := text(t, "dst"); got != "somebody's" {
				t.Errorf("the file is %q", got)
			}
			if !s.Resume { // which keeps what the next run can go on with
				only(t, ".", "dst", "src")
			}
		})
	}
}

func TestRootContinuesNoOtherUsersFile(t *testing.T) {
	testfs.NeedRoot(t)
	t.Chdir(t.TempDir())
	data := string(random(100_000))
	write(t, "src", data)
	q := place.Path("dst").Temporary(0)
	write(t, q.Name, data[:50_000])
	if err := os.Chown(q.Name, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	r := newRun(t, Options{Safety: Safety{Atomic: true, Resume: true}})
	r.To("dst", "src", false)
	r.clean(t)
	if st := stat(t, "dst"); st.Uid != 0 || text(t, "dst") != data {
		t.Errorf("the copy has %d bytes and belongs to %d", st.Size, st.Uid)
	}
	only(t, ".", "dst", "src")
}

func TestWhatHasNoRoomYetIsContinuedLater(t *testing.T) {
	disk := testfs.MountSized(t, "tmpfs", 4<<20)
	t.Chdir(t.TempDir())
	data := string(random(8 << 20))
	write(t, "src", data)
	dst := place.Path(filepath.Join(disk, "dst"))
	write(t, dst.Temporary(0).Name, data[:2<<20])
	r := newRun(t, Options{Safety: Safety{Atomic: true, Resume: true}})
	r.To(dst.Name, "src", false)
	r.only(t, NoRoom, unix.ENOSPC)
	if got := text(t, dst.Temporary(0).Name); got != data[:2<<20] {
		t.Errorf("%d bytes are left", len(got))
	}
}

func TestWhatTheOnlyCopyBeginsWithIsComparedEntirely(t *testing.T) {
	disk := testfs.Shared(t, "tmpfs")
	t.Chdir(t.TempDir())
	data := random(5 << 20)
	write(t, "src", string(data))
	dst := place.Path(filepath.Join(disk, "dst"))
	partial := append([]byte{}, data[:4<<20]...)
	partial[2_469_000]++ // between two samples
	write(t, dst.Temporary(0).Name, string(partial))
	o := recursive()
	o.Safety, o.Existing = Safety{Move: true, Resume: true}, Replace
	r := newRun(t, o)
	r.To(dst.Name, "src", false)
	r.only(t, StartedOver, nil)
	if text(t, dst.Name) != string(data) {
		t.Error("the copy differs from its source, which is gone")
	}
}

// A file with several names is moved name by name. One that is written to after
// its first name has gone is not what was copied.
func TestNamesOfAFileThatChangesMeanwhileAreMovedAnew(t *testing.T) {
	disk := testfs.Shared(t, "tmpfs")
	t.Chdir(t.TempDir())
	mkdir(t, "d")
	names := []string{"d/a", "d/b", "d/c"}
	write(t, names[0], "old")
	for _, name := range names[1:] {
		if err := os.Link(names[0], name); err != nil {
			t.Fatal(err)
		}
	}
	first := ""
	o := recursive()
	o.Safety, o.Existing, o.Preserve = Safety{Move: true}, Replace, Names
	c := New(o, Listener{Tell: func(e Event) {
		switch e := e.(type) {
		case *Problem:
			t.Error(e)
		case Gone:
			if first == "" {
				first = e.Source
				names = slices.DeleteFunc(names, func(name string) bool { return name == e.Source })
				write(t, names[0], "something new")
			}
		}
	}})
	c.To(filepath.Join(disk, "d"), "d", true)
	c.Close()
	if got := text(t, filepath.Join(disk, first)); got != "old" {
		t.Errorf("what went first is %q", got)
	}
	for _, name := range names {
		if got := text(t, filepath.Join(disk, name)); got != "something new" || stat(t, filepath.Join(disk, name)).Nlink != 2 {
			t.Errorf("%s is %q with %d names", name, got, stat(t, filepath.Join(disk, name)).Nlink)
		}
	}
}

// The one that comes second replaces the file of the first, as if it had been
// there from the beginning, or does not, if that is the user's wish.
func TestADestinationThatComesToBeMeanwhileIsDecidedUponAnew(t *testing.T) {
	for name, o := range map[string]Options{
		"nameless":  {Safety: Safety{Atomic: true}},
		"named":     {Safety: Safety{Atomic: true, Resume: true}},
		"kept":      {Safety: Safety{Atomic: true}, Update: UpdateNone},
		"backed up": {Safety: Safety{Atomic: true}, Backup: Backup{Control: Simple, Suffix: "~"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "src", "new")
			r := newRun(t, o)
			r.during = func(string) { write(t, "dst", "somebody's") }
			r.To("dst", "src", false)
			r.clean(t)
			want, names := "new", []string{"dst", "src"}
			switch name {
			case "kept":
				want = "somebody's"
			case "backed up":
				names = []string{"dst", "dst~", "src"}
			}
			if got := text(t, "dst"); got != want {
				t.Errorf("the file is %q, want %q", got, want)
			}
			if len(r.copied) != 1 {
				t.Errorf("copied: %q", r.copied)
			}
			only(t, ".", names...)
		})
	}
}
