package filecopy

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

// deep makes a directory with that many levels below it, named by their depth,
// which is beyond what a path can say, and a file in the innermost one.
func deep(t *testing.T, root string, levels int) {
	t.Helper()
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY, 0)
	for i := 0; i < levels && err == nil; i++ {
		outer, name := fd, levelName(i)
		if err = unix.Mkdirat(outer, name, 0o755); err == nil {
			fd, err = unix.Openat(outer, name, unix.O_PATH|unix.O_DIRECTORY, 0)
		}
		unix.Close(outer)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Symlinkat("bottom", fd, "link"); err != nil {
		t.Fatal(err)
	}
	file, err := unix.Openat(fd, "file", unix.O_CREAT|unix.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	unix.Write(file, []byte("deep"))
	unix.Close(file)
}

func levelName(i int) string { return strings.Repeat("d", 20) + strconv.Itoa(i) }

// bottom returns the link and the file of a deep directory.
func bottom(t *testing.T, root string, levels int) (link, text string) {
	t.Helper()
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY, 0)
	for i := 0; i < levels && err == nil; i++ {
		outer := fd
		fd, err = unix.Openat(outer, levelName(i), unix.O_PATH|unix.O_DIRECTORY, 0)
		unix.Close(outer)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 100)
	n, err := unix.Readlinkat(fd, "link", buf)
	if err != nil {
		t.Fatal(err)
	}
	link = string(buf[:n])
	file, err := unix.Openat(fd, "file", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)
	n, err = unix.Read(file, buf)
	if err != nil {
		t.Fatal(err)
	}
	return link, string(buf[:n])
}

func TestTreesMayBeDeeperThanAPathCanSay(t *testing.T) {
	t.Run("one worker", func(t *testing.T) { copyDeep(t, 1, 2*openLevels+10) })
	crew := 2*openPages/directoryWeight + waitingTasks
	t.Run("several workers", func(t *testing.T) { copyDeep(t, 3, 2*openLevels+10+crew) })
}

// copyDeep copies a deep tree, with no more descriptors than that.
func copyDeep(t *testing.T, jobs, bound int) {
	testfs.NotOnFUSE(t)
	const levels = 1000 // 23 KB of path
	dir := t.TempDir()
	deep(t, mkdir(t, dir, "src"), levels)
	o := recursive()
	o.Preserve = Mode | Ownership | Timestamps
	o.Jobs = jobs
	r := newRun(t, o)
	open := descriptors(t)
	most := 0
	r.during = func(string) { most = max(most, descriptors(t)-open) }
	r.To(filepath.Join(dir, "dst"), filepath.Join(dir, "src"), true)
	r.clean(t)
	if link, text := bottom(t, filepath.Join(dir, "dst"), levels); link != "bottom" || text != "deep" {
		t.Errorf("link to %q, file with %q", link, text)
	}
	if most > bound {
		t.Errorf("%d descriptors were open", most)
	}
	if left := descriptors(t) - open; left != 0 {
		t.Errorf("%d descriptors stay open", left)
	}
	longest := r.copied[len(r.copied)-1]
	if !strings.HasSuffix(longest, levelName(levels-1)+"/link") && !strings.HasSuffix(longest, levelName(levels-1)+"/file") {
		t.Errorf("the last file is called ...%s", longest[len(longest)-40:])
	}
}

// moveWhileDeep copies a deep tree, and when the innermost directory is reached
// renames directories near the top of the source or the copy, which are not
// open then.
func moveWhileDeep(t *testing.T, side string, renames ...[2]string) *run {
	const levels = openLevels + 10
	t.Chdir(t.TempDir())
	deep(t, mkdir(t, "src"), levels)
	write(t, "src/file", "shallow")
	r := newRun(t, recursive())
	r.during = func(source string) {
		if !strings.HasSuffix(source, levelName(levels-1)) {
			return
		}
		for _, rename := range renames {
			if err := os.Rename(filepath.Join(side, rename[0]), filepath.Join(side, rename[1])); err != nil {
				t.Error(err)
			}
		}
	}
	r.To("dst", "src", true)
	return r
}

func TestADirectoryMovedDuringTheCopyIsFoundAgain(t *testing.T) {
	inner := filepath.Join(levelName(0), levelName(1))
	for _, side := range []string{"src", "dst"} {
		t.Run(side, func(t *testing.T) {
			moveWhileDeep(t, side, [2]string{inner, "moved"}).clean(t)
			if got := text(t, "dst/file"); got != "shallow" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestADirectoryThatCannotBeFoundAgainIsLeft(t *testing.T) {
	inner := filepath.Join(levelName(0), levelName(1))
	for side, want := range map[string]What{"src": ReadDirectory, "dst": LostDirectory} {
		t.Run(side, func(t *testing.T) {
			r := moveWhileDeep(t, side, [2]string{inner, "moved"}, [2]string{levelName(0), "hidden"})
			r.only(t, want, unix.ENOENT)
			if got := text(t, "dst/file"); got != "shallow" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestALinkPutInPlaceOfADirectoryIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	outside := mkdir(t, dir, "outside")
	write(t, "outside/secret", "secret")
	mkdir(t, "src")
	write(t, "src/first", "")
	mkdir(t, "src/sub")
	write(t, "src/sub/file", "file")

	swap := func(name string) {
		if err := os.Rename(name, name+".old"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, name); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("source", func(t *testing.T) {
		r := newRun(t, recursive())
		r.during = func(source string) {
			if source == "src" { // its names are about to be read
				return
			}
			if _, err := os.Lstat("src/sub.old"); err != nil {
				swap("src/sub")
			}
		}
		r.To("dst", "src", true)
		r.clean(t)
		// The directory was opened before, or is seen to be a link by now.
		if stat(t, "dst/sub").Mode&unix.S_IFMT == unix.S_IFLNK {
			return
		}
		if _, err := os.Lstat("dst/sub/secret"); err == nil || text(t, "dst/sub/file") != "file" {
			t.Error("the link was followed")
		}
	})
	t.Run("destination", func(t *testing.T) {
		mkdir(t, "two")
		mkdir(t, "two/sub")
		write(t, "two/sub/file", "file")
		r := newRun(t, recursive())
		r.during = func(source string) {
			if source == "two/sub" {
				swap("dst2/sub")
			}
		}
		r.To("dst2", "two", true)
		r.clean(t)
		if _, err := os.Lstat("outside/file"); err == nil {
			t.Error("the file went through the link")
		}
		if got := text(t, "dst2/sub.old/file"); got != "file" {
			t.Errorf("the file is %q", got)
		}
	})
}

func TestNamesMayBe255BytesLong(t *testing.T) {
	t.Chdir(t.TempDir())
	name := strings.Repeat("\xee", 255)
	mkdir(t, "src")
	write(t, "src/"+name, "long")
	if err := os.Symlink("target", "src/"+name[1:]+"l"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over what is there, the link beside it first
		r := newRun(t, recursive())
		target := mkdirTarget(t, "dst")
		r.Into(target, "src")
		target.Close()
		r.clean(t)
	}
	if got := text(t, "dst/src/"+name); got != "long" {
		t.Errorf("%q", got)
	}
	if entries, _ := os.ReadDir("dst/src"); len(entries) != 2 {
		t.Errorf("%d files are there", len(entries))
	}
}

func mkdirTarget(t *testing.T, name string) *Target {
	t.Helper()
	os.Mkdir(name, 0o755)
	target, err := OpenTarget(name)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestANewDirectoryIsAtNoTimeOpenToOthers(t *testing.T) {
	t.Chdir(t.TempDir())
	mkdir(t, "src")
	if err := os.Chmod("src", 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, "src/file", "")
	for _, test := range []struct {
		preserve     Attributes
		during, then uint32
	}{
		{0, 0o755, 0o777},
		{Mode | Ownership | Timestamps, 0o700, 0o777},
	} {
		umask := unix.Umask(0)
		o := recursive()
		o.Preserve = test.preserve
		r := newRun(t, o)
		r.during = func(source string) {
			if got := stat(t, "dst").Mode & attr.Permissions; got != test.during {
				t.Errorf("mode %o while it is filled, want %o", got, test.during)
			}
		}
		r.To("dst", "src", true)
		unix.Umask(umask)
		r.clean(t)
		if got := stat(t, "dst").Mode & attr.Permissions; got != test.then {
			t.Errorf("mode %o in the end, want %o", got, test.then)
		}
		os.RemoveAll("dst")
	}
}

func TestDirectoriesThatAreMadeAreNotAllRemembered(t *testing.T) {
	root := t.TempDir()
	src, dst := mkdir(t, root, "src"), mkdir(t, root, "dst")
	for i := range 100 {
		mkdir(t, src, strconv.Itoa(i))
	}
	r := newRun(t, recursive())
	r.To(dst, src, false)
	r.clean(t)
	if n := len(r.memory.dirs); n != 2 {
		t.Errorf("%d directories are remembered, want the one named and the first one made", n)
	}
}

// A link may take the place of a directory between the look and the opening.
func TestADirectoryToCopyIntoIsNotReachedThroughALink(t *testing.T) {
	t.Chdir(t.TempDir())
	mkdir(t, "elsewhere")
	if err := os.Symlink("elsewhere", "link"); err != nil {
		t.Fatal(err)
	}
	d, err := place.OpenDirectory(place.Path("link"), new(unix.Stat_t), false)
	if err == nil {
		d.Close()
		t.Error("it was opened")
	}
	d, err = place.OpenDirectory(place.Path("link"), new(unix.Stat_t), true)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
}

// On btrfs the listing of an open directory does not show what was made in it
// since.
func TestADirectoryIsNotCopiedIntoItselfOnAnyFilesystem(t *testing.T) {
	for _, kind := range testfs.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Chdir(testfs.Shared(t, kind))
			for _, path := range []string{"d", "d/d", "s", "p", "p/p"} {
				mkdir(t, path)
			}
			write(t, "s/file", "text")
			into := func(dir, source string, how func(*run, *Target, string)) {
				t.Helper()
				target, err := OpenTarget(dir)
				if err != nil {
					t.Fatal(err)
				}
				defer target.Close()
				r := newRun(t, recursive())
				how(r, target, source)
				r.only(t, IntoItself, nil)
			}
			copyInto := func(r *run, t *Target, source string) { r.Into(t, source) }
			into("d", "d", copyInto)
			into("d", ".", copyInto)
			into("p", "p", func(r *run, t *Target, source string) { r.IntoParents(t, source) })
			for _, to := range []string{"s/d", "s/e/"} {
				r := newRun(t, recursive())
				r.To(to, "s", false)
				r.only(t, IntoItself, nil)
			}
			r := newRun(t, recursive())
			r.To("e", ".", false)
			r.only(t, IntoItself, nil)
		})
	}
}
