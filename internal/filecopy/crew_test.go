package filecopy

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// woods makes a tree of directories of every size, with a large file among
// small ones, and links between.
func woods(t *testing.T, root string) {
	t.Helper()
	mkdir(t, root)
	for i := range 30 {
		dir := mkdir(t, root, fmt.Sprint("dir", i))
		for k := range i * 3 {
			write(t, filepath.Join(dir, fmt.Sprint("file", k)), fmt.Sprint(i, k))
		}
		inner := mkdir(t, dir, "inner")
		write(t, filepath.Join(inner, "file"), "inner")
		if err := os.Symlink("file", filepath.Join(inner, "link")); err != nil {
			t.Fatal(err)
		}
	}
	big := filepath.Join(root, "dir0/big")
	if err := os.WriteFile(big, make([]byte, 8<<20), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestACrewTellsInTheOrderOfOneWorker copies where every file fails, so that
// there is something to tell of each by the walk and by its worker.
func TestACrewTellsInTheOrderOfOneWorker(t *testing.T) {
	root := testfs.Shared(t, "tmpfs") // where no blocks can be shared
	woods(t, filepath.Join(root, "src"))
	told := func(jobs int) (told []string) {
		o := recursive()
		o.Data.Reflink = ReflinkAlways
		o.Jobs = jobs
		c := New(o, Listener{Tell: func(e Event) {
			switch e := e.(type) {
			case Copying:
				told = append(told, "copying "+e.Source)
			case *Problem:
				told = append(told, "problem "+e.Source)
			}
		}})
		defer c.Close()
		c.To(filepath.Join(root, fmt.Sprint("out", jobs)), filepath.Join(root, "src"), false)
		return told
	}
	want := told(1)
	if len(want) < 2500 {
		t.Fatalf("one worker has only %d things to tell", len(want))
	}
	for _, jobs := range []int{2, 7} {
		if got := told(jobs); !slices.Equal(got, want) {
			t.Errorf("%d workers tell %d things, and in another order than one, who tells %d", jobs, len(got), len(want))
		}
	}
}

func TestACrewGivesDirectoriesTheirAttributesLast(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	woods(t, src)
	long := []unix.Timespec{{Sec: 1, Nsec: 234}, {Sec: 5, Nsec: 678}}
	var dirs []string
	filepath.WalkDir(src, func(path string, entry os.DirEntry, err error) error {
		if entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	slices.Reverse(dirs) // inner ones first
	for _, path := range dirs {
		if err := unix.Chmod(path, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, long, 0); err != nil {
			t.Fatal(err)
		}
	}
	open := descriptors(t)
	o := recursive()
	o.Preserve = Mode | Timestamps
	o.Jobs = 4
	c := New(o, failing(t))
	c.To(dst, src, false)
	c.Close()
	if left := descriptors(t); left > open {
		t.Errorf("%d descriptors are left open", left-open)
	}
	for _, path := range dirs {
		made := filepath.Join(dst, path[len(src):])
		if st := stat(t, made); st.Mode&0o7777 != 0o555 || st.Mtim != long[1] {
			t.Errorf("%s: mode %o and time %v", made, st.Mode, st.Mtim)
		}
		unix.Chmod(path, 0o755) // so that it can be removed
		unix.Chmod(made, 0o755)
	}
}

// TestACrewIsNotCalledForALittleWork, since threads would take longer to start
// than the files to copy.
func TestACrewIsNotCalledForALittleWork(t *testing.T) {
	dir := t.TempDir()
	src := mkdir(t, dir, "src")
	for i := range aFew - 1 { // and their directory
		write(t, filepath.Join(src, fmt.Sprint(i)), "x")
	}
	r := newRun(t, recursive())
	r.To(filepath.Join(dir, "dst"), src, false)
	r.clean(t)
	if r.crew != nil {
		t.Error("workers were started")
	}
}

func TestFilesThatAreThereAreOverwrittenInOrder(t *testing.T) {
	dir := t.TempDir()
	src, dst := mkdir(t, dir, "src"), mkdir(t, dir, "dst")
	mkdir(t, dst, "src")
	// Two names of one file: the last one to be copied to it is what stays.
	for i := range 100 {
		write(t, filepath.Join(src, fmt.Sprintf("%02d", i)), fmt.Sprintf("%02d", i))
	}
	first := filepath.Join(dst, "src/00")
	write(t, first, "old")
	for i := 1; i < 100; i++ {
		if err := os.Link(first, filepath.Join(dst, fmt.Sprintf("src/%02d", i))); err != nil {
			t.Fatal(err)
		}
	}
	o := recursive()
	o.Jobs = 4
	target, err := OpenTarget(dst)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	r := newRun(t, o)
	r.Into(target, src)
	r.clean(t)
	last := filepath.Base(r.copied[len(r.copied)-1])
	if got := text(t, first); got != last {
		t.Errorf("%s holds %q, and %s was copied last", first, got, last)
	}
}

func TestWorkersAreAsManyAsMayOpenTheirFiles(t *testing.T) {
	for limit, want := range map[uint64]int{0: 1, 1023: 1, 1024: 85, 4096: 597, math.MaxUint64: math.MaxInt32 / 6} {
		if got := affordable(limit); got != want {
			t.Errorf("%d workers share %d descriptors, want %d", got, limit, want)
		}
	}
}

func TestFewDescriptorsKeepFewLevelsOpen(t *testing.T) {
	for descriptors, want := range map[int]int{0: 1, 5: 1, 9: 1, 10: 2, 69: 31, 70: 32, 1 << 20: 32} {
		if got := levelsFor(descriptors); got != want {
			t.Errorf("%d descriptors: %d levels, want %d", descriptors, got, want)
		}
	}
}
