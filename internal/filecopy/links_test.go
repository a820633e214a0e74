package filecopy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// TestHardLinksReachAcrossDirectoriesThatAreClosed has links between the ends of
// two trees that are deeper than what is kept open, and than PATH_MAX.
func TestHardLinksReachAcrossDirectoriesThatAreClosed(t *testing.T) {
	testfs.NotOnFUSE(t)
	const levels = 300
	root := t.TempDir()
	src := mkdir(t, root, "src")
	var ends [2]int
	for i := range ends {
		fd, err := unix.Open(mkdir(t, src, fmt.Sprint(i)), unix.O_PATH, 0)
		for k := 0; k < levels && err == nil; k++ {
			if err = unix.Mkdirat(fd, levelName(k), 0o755); err == nil {
				up := fd
				fd, err = unix.Openat(up, levelName(k), unix.O_PATH, 0)
				unix.Close(up)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		ends[i] = fd
	}
	write(t, filepath.Join(src, "file"), "text")
	for _, end := range ends {
		for k := range 3 {
			if err := unix.Linkat(unix.AT_FDCWD, filepath.Join(src, "file"), end, fmt.Sprint(k), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := descriptors(t)
	o := recursive()
	o.Preserve = Names
	r := newRun(t, o)
	r.To(filepath.Join(root, "dst"), src, false)
	r.clean(t)
	if st := stat(t, filepath.Join(root, "dst/file")); st.Nlink != 7 {
		t.Errorf("%d links, want 7", st.Nlink)
	}
	if now := descriptors(t); now > open+2 { // the engine's pipe
		t.Errorf("%d descriptors are left open", now-open)
	}
}

func TestALinkIntoACopyBeingMadeIsRefused(t *testing.T) {
	root := t.TempDir()
	src, dst := mkdir(t, root, "src"), mkdir(t, root, "dst")
	inner := mkdir(t, src, "inner")
	if err := os.Symlink(filepath.Join(dst, "src"), filepath.Join(inner, "out")); err != nil {
		t.Fatal(err)
	}
	target, err := OpenTarget(dst)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	r := newRun(t, Options{Recursive: true})
	r.Into(target, src)
	r.only(t, IntoItself, nil)
}

// TestALinkReplacesNothingThatComesToBeMeanwhile is about filesystems that take
// two names for one, too: the source of what is there may be gone already.
func TestALinkReplacesNothingThatComesToBeMeanwhile(t *testing.T) {
	root := t.TempDir()
	src, dst := mkdir(t, root, "src"), filepath.Join(root, "dst")
	write(t, filepath.Join(src, "a"), "text")
	for _, err := range []error{
		os.Link(filepath.Join(src, "a"), filepath.Join(src, "b")),
		os.Symlink("a", filepath.Join(src, "c")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	o := recursive()
	o.Preserve, o.Existing = Names, Force
	r := newRun(t, o)
	others := map[What]string{} // what somebody puts there: in the way of the second name, and of the symbolic link
	seen := false
	r.during = func(source string) { // in the order of inode numbers, whatever that is
		what := CreateHardLink
		switch filepath.Base(source) {
		case "src":
			return
		case "c":
			what = CreateLink
		default:
			if seen = !seen; seen {
				return
			}
		}
		others[what] = filepath.Join(dst, filepath.Base(source))
		write(t, others[what], "somebody's")
	}
	r.To(dst, src, false)
	if len(r.problems) != 2 || r.problems[0].What == r.problems[1].What {
		t.Fatalf("problems %v", r.problems)
	}
	for _, p := range r.problems {
		if others[p.What] == "" || p.Err != unix.EEXIST {
			t.Fatal(p)
		}
		if got := text(t, others[p.What]); got != "somebody's" {
			t.Errorf("%s is %q", others[p.What], got)
		}
	}
}
