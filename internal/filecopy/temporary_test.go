package filecopy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

func TestATemporaryHasTheBytesThatItsFilesystemMayRefuse(t *testing.T) {
	for name, want := range map[string]string{
		"plain name.txt": "", "a:b?": ":?", "é\xff\n": "é\xff\n", `\`: `\`,
		strings.Repeat("é", 30): strings.Repeat("é", 20),
	} {
		if got := place.Unusual(name); got != want {
			t.Errorf("of %q: %q, want %q", name, got, want)
		}
		if stem := (place.Path("d/" + name)).TemporaryStem(); len(stem) > 100 || !strings.HasSuffix(stem, want) {
			t.Errorf("a temporary of %q is called %q", name, stem)
		}
	}
}

// In a directory that was just made nothing is looked for.
func TestAnImpossibleNameIsFoundBeforeAnythingIsCopied(t *testing.T) {
	t.Chdir(t.TempDir())
	mkdir(t, "d")
	d, err := place.OpenDirectory(place.Path("d"), new(unix.Stat_t), false)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.Fresh = true
	write(t, "src", "new")
	r := newRun(t, Options{Safety: Safety{Atomic: true}})
	src := opened(t, "src", unix.O_RDONLY)
	e := &entry{src: src.at, dst: place.In(d, strings.Repeat("n", 256)), stat: src.stat, fd: src.fd}
	if _, p := r.openDest(e, src); p == nil || p.What != CreateFile || p.Err != unix.ENAMETOOLONG {
		t.Errorf("%v", p)
	}
	only(t, "d")
}

func TestAllNamesOfTemporariesAreSwept(t *testing.T) {
	for _, files := range []int{1, 3 * place.ListFrom} {
		t.Run(fmt.Sprint(files, " files"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			mkdir(t, "src")
			mkdir(t, "dst")
			var names []string
			for i := range files {
				name := fmt.Sprintf("f%02d", i)
				names = append(names, name)
				write(t, "src/"+name, "new")
				write(t, "dst/"+name, "old")
				for slot := 1; slot < place.TemporarySlots; slot += 7 { // slot 0 is free
					write(t, place.Path("dst/"+name).Temporary(slot).Name, "left")
				}
				if i > place.ListFrom {
					write(t, place.Path("dst/"+name).Temporary(place.TemporarySlots).Name, "left")
				}
			}
			o := recursive()
			o.Safety = Safety{Atomic: true}
			r := newRun(t, o)
			target, err := OpenTarget("dst")
			if err != nil {
				t.Fatal(err)
			}
			defer target.Close()
			for _, name := range names {
				r.Into(target, "src/"+name)
			}
			r.clean(t)
			only(t, "dst", names...)
		})
	}
}

func TestSourcesThatAreCalledAsTemporariesAreCopied(t *testing.T) {
	names := []string{"foo"}
	for slot := range 3 {
		names = append(names, place.Path("foo").Temporary(slot).Name)
	}
	for name, s := range map[string]Safety{"atomic": {Atomic: true}, "resume": {Atomic: true, Resume: true}, "move": {Move: true}} {
		for _, existing := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", existing ", existing), func(t *testing.T) {
				disk := testfs.Shared(t, "tmpfs") // from where nothing can be renamed
				t.Chdir(t.TempDir())
				for _, dir := range []string{"together", "first", "second"} {
					mkdir(t, dir)
				}
				for i, name := range names {
					write(t, "together/"+name, name)
					if i > 0 {
						write(t, "first/"+name, name)
					}
				}
				write(t, "second/foo", "foo")
				if existing {
					mkdir(t, disk, "one")
					mkdir(t, disk, "two")
					write(t, disk+"/one/foo", "old")
				}
				o := recursive()
				o.Jobs, o.Safety, o.Existing = 4, s, Replace
				r := newRun(t, o)
				for _, way := range [][2]string{{"together", "one"}, {"first", "two"}, {"second", "two"}} {
					r.To(disk+"/"+way[1], way[0], false)
				}
				if !s.Move {
					r.clean(t)
				}
				for _, dir := range []string{"one", "two"} {
					for _, name := range names {
						if got, err := os.ReadFile(filepath.Join(disk, dir, name)); string(got) != name && !(s.Move && dir == "two" && name == "foo") {
							t.Errorf("%s/%s is %q, %v", dir, name, got, err)
						}
					}
				}
			})
		}
	}
}
