package filecopy

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

// The options with which a second run is offered what the first has left.
var resumed = map[string]Safety{
	"move":             {Move: true, Resume: true},
	"atomic and fsync": {Atomic: true, Fsync: true, Resume: true},
	"fsync":            {Fsync: true, Resume: true},
}

func TestWhatCouldNotBeWrittenBackIsCopiedAnew(t *testing.T) {
	for name, s := range resumed {
		t.Run(name, func(t *testing.T) {
			disk := &thinDisk{testfs.NewThin(t)}
			t.Chdir(t.TempDir())
			data := string(random(8 << 20))
			write(t, "src", data)
			disk.Fill(t)
			r := runSafely(t, s, disk)
			if len(r.problems) != 1 || r.problems[0].What != Sync {
				t.Fatalf("problems %v on a full disk", r.problems)
			}
			if text(t, "src") != data {
				t.Error("the source has changed")
			}
			disk.Extend(t)
			runSafely(t, s, disk).clean(t)
			disk.onDisk(t, s, data)
		})
	}
}

// A run may have been killed before it could take away what was not written back.
func TestAPartialCopyIsComparedOnDisk(t *testing.T) {
	for name, s := range resumed {
		t.Run(name, func(t *testing.T) {
			disk := &thinDisk{testfs.NewThin(t)}
			t.Chdir(t.TempDir())
			data := string(random(8 << 20))
			write(t, "src", data)
			dst := place.Path(filepath.Join(disk.Dir, "dst"))
			if s.Atomic || s.Move {
				dst = dst.Temporary(0)
			}
			disk.Fill(t)
			write(t, dst.Name, data)
			syncInVain(t, dst.Name)
			disk.Extend(t)
			runSafely(t, s, disk).only(t, StartedOver, nil)
			disk.onDisk(t, s, data)
		})
	}
}

type thinDisk struct{ *testfs.Thin }

// runSafely copies src to the disk, whole and with all that the options promise.
func runSafely(t *testing.T, s Safety, disk *thinDisk) *run {
	t.Helper()
	o := recursive()
	o.Safety = s
	if s.Move {
		o.Existing = Replace
	}
	r := newRun(t, o)
	r.To(filepath.Join(disk.Dir, "dst"), "src", false)
	return r
}

// onDisk checks that the disk has the copy, and nothing else, also when the page
// cache has gone.
func (d *thinDisk) onDisk(t *testing.T, s Safety, data string) {
	t.Helper()
	if moved := !place.Exists(place.Path("src")); moved != s.Move {
		t.Errorf("the source is gone: %v", moved)
	}
	d.Remount(t)
	only(t, d.Dir, "dst", "lost+found")
	if text(t, filepath.Join(d.Dir, "dst")) != data {
		t.Error("the copy on the disk is another one")
	}
}

// syncInVain has the kernel report what could not be written back, so that it
// does not do so again.
func syncInVain(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err == nil {
		t.Fatal("a full disk took the data")
	}
	if err := unix.Fsync(int(f.Fd())); err != nil {
		t.Fatal("the error is reported twice: ", err)
	}
}
