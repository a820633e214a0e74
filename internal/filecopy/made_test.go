package filecopy

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

func moving() Options {
	return Options{
		Recursive: true, Links: CopyLinks, Existing: Replace,
		Preserve: Mode | Ownership | Timestamps | Names | Xattrs,
		Safety:   Safety{Move: true},
	}
}

// The inode number of a file that is gone may belong to another one, which may
// be as long and have the same time, when its name's turn comes.
func TestAFileWithTheNumberOfOneThatWasMovedIsNotTakenForIt(t *testing.T) {
	for name, forge := range map[string]func(*original){
		"born later":         func(o *original) { o.Born-- },
		"time of birth lost": func(o *original) { o.Born = 0; o.changed = unix.Timespec{} },
	} {
		t.Run(name, func(t *testing.T) {
			disk := testfs.Shared(t, "ext4")
			t.Chdir(t.TempDir())
			write(t, "a", "old")
			if err := os.Link("a", "b"); err != nil {
				t.Fatal(err)
			}
			r := newRun(t, moving())
			r.To(filepath.Join(disk, "a"), "a", true)
			was := stat(t, "b")
			write(t, "b", "new")
			times := []unix.Timespec{was.Atim, was.Mtim}
			if err := unix.UtimesNanoAt(unix.AT_FDCWD, "b", times, 0); err != nil {
				t.Fatal(err)
			}
			o := r.ledger.originals[place.IDOf(was)]
			if o == nil {
				t.Fatal("the file is not known to have another name")
			}
			forge(o)
			r.To(filepath.Join(disk, "b"), "b", true)
			r.clean(t)
			if a, b := text(t, filepath.Join(disk, "a")), text(t, filepath.Join(disk, "b")); a != "old" || b != "new" {
				t.Errorf("the copies are %q and %q", a, b)
			}
			if place.Exists(place.Path("b")) {
				t.Error("the source is still there")
			}
		})
	}
}

// Names of one file are known by its time of birth, and where there is none by
// what is in it.
func TestNamesOfOneFileStayTogether(t *testing.T) {
	for name, forge := range map[string]func(*original){
		"born":                   func(o *original) {},
		"time of birth lost":     func(o *original) { o.Born = 0 },
		"time of removal lost":   func(o *original) { o.changed = unix.Timespec{} },
		"changed by another one": func(o *original) { o.changed.Nsec++ },
	} {
		t.Run(name, func(t *testing.T) {
			disk := testfs.Shared(t, "ext4")
			t.Chdir(t.TempDir())
			write(t, "a", string(random(300_000)))
			for _, name := range []string{"b", "c"} {
				if err := os.Link("a", name); err != nil {
					t.Fatal(err)
				}
			}
			r := newRun(t, moving())
			for _, name := range []string{"a", "b", "c"} {
				r.To(filepath.Join(disk, name), name, true)
				for _, o := range r.ledger.originals {
					forge(o)
				}
			}
			r.clean(t)
			if n := stat(t, filepath.Join(disk, "c")).Nlink; n != 3 {
				t.Errorf("%d names", n)
			}
			only(t, ".")
		})
	}
}

// Some filesystems call two names one, and the copy of the second would be
// written over that of the first, whose source is gone.
func TestWhatWasMovedIsNotOverwrittenInANewDirectory(t *testing.T) {
	disk := testfs.Shared(t, "tmpfs")
	t.Chdir(t.TempDir())
	mkdir(t, "d")
	for _, name := range []string{"d/F", "d/f"} {
		write(t, name, name)
		if err := os.Link(name, "other"+filepath.Base(name)); err != nil { // such files are in no batch
			t.Fatal(err)
		}
	}
	r := newRun(t, moving())
	first := ""
	r.during = func(source string) { // as if the other name led there, too
		switch other := map[string]string{"d/F": "f", "d/f": "F"}[source]; {
		case other == "":
		case first == "":
			first = source
		default:
			if err := os.Link(filepath.Join(disk, first), filepath.Join(disk, source)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.To(filepath.Join(disk, "d"), "d", true)
	p := r.only(t, OverJustCreated, nil)
	if got := text(t, filepath.Join(disk, first)); got != first {
		t.Errorf("%s has become %q", first, got)
	}
	if got := text(t, p.Source); got != p.Source {
		t.Errorf("%s has become %q", p.Source, got)
	}
}
