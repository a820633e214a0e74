package filecopy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

// fillBut fills a disk but for the block of the next directory: a filesystem whose
// own blocks cannot be written ends all writing.
func fillBut(t *testing.T, disk *thinDisk) {
	t.Helper()
	dir := filepath.Join(disk.Dir, "d")
	mkdir(t, dir)
	for _, do := range []func(string) error{syncFilesystem, os.Remove, syncFilesystem} {
		at := dir
		if !place.Exists(place.Path(dir)) {
			at = disk.Dir
		}
		if err := do(at); err != nil {
			t.Fatal(err)
		}
	}
	disk.Fill(t)
}

func syncFilesystem(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// plantMany makes a tree of files with some data each, and returns what is in them
// by their names.
func plantMany(t *testing.T, files int) map[string]string {
	t.Helper()
	planted := map[string]string{}
	for i := range files {
		dir := fmt.Sprintf("d/%d/%d", i%3, i%5)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s/%d", dir, i)
		planted[name] = string(random(64<<10 + i))
		write(t, name, planted[name])
	}
	return planted
}

// safely copies d to a directory with options that sync, and small batches.
func safely(t *testing.T, s Safety, into string, most int) *run {
	t.Helper()
	o := moving()
	o.Safety, o.Jobs = s, 3
	r := newRun(t, o)
	if r.batch != nil {
		r.batch.most = most
	}
	r.To(filepath.Join(into, "d"), "d", false)
	return r
}

var synced = map[string]Safety{
	"move":             {Move: true},
	"atomic and fsync": {Atomic: true, Fsync: true},
	"fsync":            {Fsync: true},
}

// wholeIn returns which of the files are in a directory. What is there must be whole.
func wholeIn(t *testing.T, dir string, planted map[string]string) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	for name, want := range planted {
		data, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case err == nil && string(data) == want:
			there[name] = true
		case err == nil:
			t.Errorf("%s in %s is another file", name, dir)
		case !os.IsNotExist(err):
			t.Error(err)
		}
	}
	return there
}

func TestFilesOfABatchAreOnTheDiskOrReported(t *testing.T) {
	for name, s := range synced {
		t.Run(name, func(t *testing.T) {
			disk := &thinDisk{testfs.NewThin(t)}
			t.Chdir(t.TempDir())
			mkdir(t, "d")
			planted := map[string]string{}
			for i := range 40 {
				name := fmt.Sprintf("d/%d", i)
				planted[name] = string(random(64<<10 + i))
				write(t, name, planted[name])
			}
			fillBut(t, disk)
			r := safely(t, s, disk.Dir, 7)
			for _, p := range r.problems {
				if p.What != Sync && p.What != Write {
					t.Error(p)
				}
			}
			if len(r.problems) == 0 {
				t.Fatal("a full disk took the data")
			}
			done := r.Gauge().Completed()
			disk.Extend(t)
			disk.Remount(t)
			there, stayed := wholeIn(t, disk.Dir, planted), wholeIn(t, ".", planted)
			if int(done.Files) != len(there) {
				t.Errorf("%d files are complete, %d are on the disk", done.Files, len(there))
			}
			for name := range planted {
				if !there[name] && !stayed[name] || there[name] && stayed[name] == s.Move {
					t.Errorf("%s: on the disk %v, at the source %v", name, there[name], stayed[name])
				}
			}
			safely(t, s, disk.Dir, 7).clean(t)
			disk.Remount(t)
			if there := wholeIn(t, disk.Dir, planted); len(there) != len(planted) {
				t.Errorf("%d files are on the disk", len(there))
			}
			if left := wholeIn(t, ".", planted); s.Move && len(left) > 0 {
				t.Errorf("sources are still there: %v", left)
			}
		})
	}
}

// syncfs(2) tells of an error once. It may be about a file that comes to a later
// batch, which a second syncfs(2) knows nothing of.
func TestAnErrorOfAFileInALaterBatchIsNotForgotten(t *testing.T) {
	for name, s := range synced {
		t.Run(name, func(t *testing.T) {
			disk := &thinDisk{testfs.NewThin(t)}
			t.Chdir(t.TempDir())
			mkdir(t, "d")
			planted := map[string]string{}
			for _, name := range []string{"d/1", "d/2", "d/3"} {
				planted[name] = string(random(64 << 10))
				write(t, name, planted[name])
			}
			fillBut(t, disk)
			o := moving()
			o.Safety = s
			r := newRun(t, o)
			b := r.batch
			b.flushing.Lock() // no worker gets further than to here
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				r.To(filepath.Join(disk.Dir, "d"), "d", false)
			}()
			items := itemsOf(b, len(planted))
			w := newWorker(r.setting, r.journal)
			defer w.close()
			b.finish(w, items[:1], nil)
			b.finish(w, items[1:], nil)
			b.mu.Lock()
			b.started -= len(items)
			b.mu.Unlock()
			b.flushing.Unlock()
			b.flush(w) // the directory
			<-ended
			if len(r.problems) != len(planted) {
				t.Errorf("problems %v", r.problems)
			}
			if left := wholeIn(t, ".", planted); len(left) != len(planted) {
				t.Errorf("only %v are left", left)
			}
			disk.Extend(t)
			disk.Remount(t)
			if there := wholeIn(t, disk.Dir, planted); len(there) > 0 {
				t.Errorf("%v are there", there)
			}
		})
	}
}

// itemsOf takes the files of a batch, once there are so many.
func itemsOf(b *batch, n int) []item {
	for {
		b.mu.Lock()
		if items := b.items; len(items) == n {
			b.items, b.bytes = nil, 0
			b.mu.Unlock()
			return items
		}
		b.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// In directories so deep that the ones above are not open, too, and when everything
// is synced by itself.
func TestTreesOfEveryShapeAreMovedInBatches(t *testing.T) {
	disk := testfs.Shared(t, "ext4")
	for _, single := range []bool{false, true} {
		for _, most := range []int{1, 5, 1000} {
			for name, s := range synced {
				t.Run(fmt.Sprintf("%s, %d, single %v", name, most, single), func(t *testing.T) {
					t.Chdir(t.TempDir())
					planted := plantMany(t, 40)
					dir := "d/0"
					for i := range 2*openLevels + 10 {
						dir = mkdir(t, dir, "x")
						for _, j := range []int{0, 1}[:1+i%2] {
							name := fmt.Sprintf("%s/f%d", dir, j)
							planted[name] = name
							write(t, name, name)
						}
						if i%7 == 0 {
							mkdir(t, dir, "empty")
							if err := os.Symlink("nowhere", dir+"/link"); err != nil {
								t.Fatal(err)
							}
							if err := os.Link(dir+"/f0", dir+"/further"); err != nil {
								t.Fatal(err)
							}
						}
					}
					o := moving()
					o.Safety, o.Jobs = s, most%4
					var r *run
					t.Cleanup(func() { // when the workers have ended
						if b := r.batch; b.started != 0 || len(b.items) != 0 || len(b.left) != 0 || b.fd >= 0 {
							t.Errorf("the batch has %d files, %d directories, %d started", len(b.items), len(b.left), b.started)
						}
					})
					r = newRun(t, o)
					r.batch.most, r.batch.single = most, single
					before := descriptors(t)
					into, err := os.MkdirTemp(disk, "")
					if err != nil {
						t.Fatal(err)
					}
					defer os.RemoveAll(into)
					r.To(filepath.Join(into, "d"), "d", false)
					r.clean(t)
					if got := wholeIn(t, into, planted); len(got) != len(planted) {
						t.Errorf("%d of %d files are there", len(got), len(planted))
					}
					if gone := !place.Exists(place.Path("d")); gone != s.Move {
						t.Errorf("the source is gone: %v", gone)
					}
					if after := descriptors(t); after > before+8 { // workers keep pipes
						t.Errorf("%d descriptors were open, %d are", before, after)
					}
				})
			}
		}
	}
}

// Some filesystems call two names one. The second file of a batch finds the name
// of the first.
func TestAFileOfABatchReplacesNothing(t *testing.T) {
	disk, err := os.MkdirTemp(testfs.Shared(t, "ext4"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(disk)
	t.Chdir(t.TempDir())
	mkdir(t, "d")
	write(t, "d/a", "source")
	write(t, "d/b", "other")
	r := newRun(t, moving())
	r.during = func(source string) {
		if source == "d/a" {
			write(t, filepath.Join(disk, "d/a"), "there before")
		}
	}
	r.To(filepath.Join(disk, "d"), "d", true)
	r.only(t, Commit, unix.EEXIST)
	if got := text(t, filepath.Join(disk, "d/a")); got != "there before" {
		t.Errorf("it has become %q", got)
	}
	if text(t, "d/a") != "source" || text(t, filepath.Join(disk, "d/b")) != "other" {
		t.Error("a file is lost")
	}
	only(t, "d", "a")
}

// A source that changes while its copy waits in a batch stays.
func TestASourceThatChangesWhileItsCopyWaitsStays(t *testing.T) {
	disk, err := os.MkdirTemp(testfs.Shared(t, "ext4"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(disk)
	t.Chdir(t.TempDir())
	mkdir(t, "d")
	for _, name := range []string{"d/appended", "d/gone", "d/kept"} {
		write(t, name, name)
	}
	r := newRun(t, moving())
	b := r.batch
	b.flushing.Lock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.To(filepath.Join(disk, "d"), "d", true)
	}()
	items := itemsOf(b, 3)
	b.mu.Lock()
	b.items = items
	b.mu.Unlock()
	write(t, "d/appended", "d/appended and more")
	if err := os.Remove("d/gone"); err != nil {
		t.Fatal(err)
	}
	b.flushing.Unlock()
	<-ended
	if len(r.problems) != 2 {
		t.Fatalf("problems %v", r.problems)
	}
	for _, p := range r.problems {
		if want := map[string]What{"d/appended": SourceChanged, "d/gone": Vanished}[p.Source]; p.What != want {
			t.Error(p)
		}
	}
	if text(t, "d/appended") != "d/appended and more" || text(t, filepath.Join(disk, "d/gone")) != "d/gone" || text(t, filepath.Join(disk, "d/kept")) != "d/kept" {
		t.Error("a file is lost")
	}
	only(t, "d", "appended")
	only(t, filepath.Join(disk, "d"), "gone", "kept")
}
