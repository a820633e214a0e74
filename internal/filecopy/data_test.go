package filecopy

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/property"
	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

func copyOne(t *testing.T, o Options, dst, src string) *run {
	t.Helper()
	r := newRun(t, o)
	r.To(dst, src, false)
	return r
}

// opened opens a file as the parts of a copy see it.
func opened(t *testing.T, path string, flags int) *file {
	t.Helper()
	f := &file{at: place.Path(path), flags: flags}
	var err error
	if f.fd, err = place.Open(f.at, flags, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(f.fd) })
	if err := place.Fstat(f.fd, &f.stat); err != nil {
		t.Fatal(err)
	}
	return f
}

func random(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{})
	source.Read(data)
	return data
}

func TestAFullFilesystemIsReportedAndTheRestGoesOn(t *testing.T) {
	const room = 4 << 20
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			size := int64(room)
			if kind == "ext4" {
				size = 16 << 20 // mke2fs wants some for itself
			}
			full := testfs.MountSized(t, kind, size)
			dir := t.TempDir()
			src := mkdir(t, dir, "src")
			write(t, filepath.Join(src, "large"), string(random(20<<20)))
			o := recursive()
			o.Data.Sparse = SparseAlways // so that only writing tells how much it takes
			r := newRun(t, o)
			target := mkdirTarget(t, full)
			defer target.Close()
			r.Into(target, src)
			r.only(t, Write, unix.ENOSPC)
			st := stat(t, filepath.Join(full, "src/large"))
			if st.Size == 0 || st.Size >= 20<<20 {
				t.Errorf("%d bytes arrived", st.Size)
			}
			if st.Blocks*512 > st.Size+64<<10 {
				t.Errorf("%d bytes take %d blocks: some were reserved for what did not arrive", st.Size, st.Blocks)
			}
			if want := text(t, filepath.Join(src, "large"))[:st.Size]; text(t, filepath.Join(full, "src/large")) != want {
				t.Error("what arrived is not the beginning of the source")
			}
			if err := os.Truncate(filepath.Join(full, "src/large"), 0); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "small"), "small")
			r.Into(target, filepath.Join(dir, "small"))
			if got := text(t, filepath.Join(full, "small")); got != "small" {
				t.Errorf("the next file is %q", got)
			}
		})
	}
}

func TestReservedBlocksDoNotOutliveAShortCopy(t *testing.T) {
	dir := testfs.Shared(t, "ext4")
	data := random(3 << 20)
	write(t, filepath.Join(dir, "src"), string(data))
	r := newRun(t, Options{})
	src := opened(t, filepath.Join(dir, "src"), unix.O_RDONLY)
	dst := opened(t, filepath.Join(dir, "dst"), unix.O_WRONLY|createFlags)
	src.stat.Size = 64 << 20 // the file was cut after it was looked at
	src.stat.Blocks = src.stat.Size / 512
	if p := r.fill(dst, src); p != nil {
		t.Fatal(p)
	}
	st := stat(t, filepath.Join(dir, "dst"))
	if st.Size != int64(len(data)) || st.Blocks*512 > st.Size+64<<10 {
		t.Errorf("%d bytes in %d blocks", st.Size, st.Blocks)
	}
	if !bytes.Equal(data, []byte(text(t, filepath.Join(dir, "dst")))) {
		t.Error("contents differ")
	}
}

func TestReservedBlocksDoNotOutliveACopyThatIsStopped(t *testing.T) {
	dir := testfs.Shared(t, "ext4")
	write(t, filepath.Join(dir, "src"), string(random(20<<20)))
	r := newRun(t, Options{})
	src := opened(t, filepath.Join(dir, "src"), unix.O_RDONLY)
	dst := opened(t, filepath.Join(dir, "dst"), unix.O_WRONLY|createFlags)
	r.Stop()
	if p := r.fill(dst, src); p == nil || p.What != Interrupted {
		t.Errorf("%v", p)
	}
	if st := stat(t, filepath.Join(dir, "dst")); st.Size >= 20<<20 || st.Blocks*512 > st.Size+64<<10 {
		t.Errorf("%d bytes in %d blocks", st.Size, st.Blocks)
	}
}

// layout is a file drawn as parts with data, with zeros and with nothing.
type layout []part

type part struct {
	kind byte // 'd', 'z' or 'h'
	size int
}

func drawLayout(t *rapid.T) (l layout) {
	size := rapid.SampledFrom([]int{1, 4095, 4096, 4097, 10_000, 65_536, 300_000})
	for range rapid.IntRange(0, 8).Draw(t, "parts") {
		l = append(l, part{rapid.SampledFrom([]byte("dzh")).Draw(t, "kind"), size.Draw(t, "size")})
	}
	return l
}

func (l layout) make(t testing.TB, path string) []byte {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []byte
	for _, p := range l {
		data := make([]byte, p.size)
		if p.kind == 'd' {
			copy(data, random(p.size))
		}
		if p.kind != 'h' {
			if _, err := f.WriteAt(data, int64(len(all))); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, data...)
	}
	if err := f.Truncate(int64(len(all))); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestHolesNeverChangeTheContents(t *testing.T) {
	dirs := map[string]string{"here": t.TempDir()}
	if os.Geteuid() == 0 {
		for _, kind := range []string{"ext4", "tmpfs", "xfs", "btrfs"} {
			dirs[kind] = testfs.Shared(t, kind)
		}
	}
	for kind, dir := range dirs {
		t.Run(kind, func(t *testing.T) {
			property.Check(t, property.Usual, func(rt *rapid.T) {
				l := drawLayout(rt)
				src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
				want := l.make(t, src)
				os.Remove(dst)
				if rapid.Bool().Draw(rt, "existing") {
					write(t, dst, strings.Repeat("old", 100_000))
				}
				o := Options{Data: Data{
					Sparse:  rapid.SampledFrom([]Sparse{SparseAuto, SparseAlways, SparseNever}).Draw(rt, "sparse"),
					Reflink: rapid.SampledFrom([]Reflink{ReflinkAuto, ReflinkNever}).Draw(rt, "reflink"),
				}}
				r := copyOne(t, o, dst, src)
				if len(r.problems) > 0 {
					rt.Fatal(r.problems)
				}
				if !bytes.Equal([]byte(text(t, dst)), want) {
					rt.Fatalf("%v with %v: contents differ", l, o.Data)
				}
			})
		})
	}
}

// flush has a filesystem decide which blocks its files take.
func flush(t *testing.T, dir string) {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Syncfs(fd); err != nil {
		t.Fatal(err)
	}
}

func TestHolesAreKeptMadeOrFilled(t *testing.T) {
	const mega = 1 << 20
	l := layout{{'h', mega}, {'d', 8192}, {'h', mega}, {'z', 64 << 10}, {'d', 4096}, {'h', mega}}
	for _, kind := range []string{"ext4", "tmpfs", "xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			dir := testfs.Shared(t, kind)
			src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
			l.make(t, src)
			flush(t, dir)
			for _, test := range []struct {
				sparse   Sparse
				min, max int64 // KiB
			}{
				{SparseAuto, 64 + 12, 64 + 12 + 60},
				{SparseAlways, 12, 12 + 60},
				{SparseNever, 3 * 1024, 3*1024 + 1024},
			} {
				for _, existing := range []bool{false, true} {
					os.Remove(dst)
					if existing {
						write(t, dst, strings.Repeat("old", mega))
					}
					r := copyOne(t, Options{Data: Data{Sparse: test.sparse, Reflink: ReflinkNever}}, dst, src)
					r.clean(t)
					flush(t, dir)
					if kib := stat(t, dst).Blocks / 2; kib < test.min || kib > test.max {
						t.Errorf("sparse %d, existing %v: %d KiB, want %d to %d", test.sparse, existing, kib, test.min, test.max)
					}
				}
			}
		})
	}
}

func TestAFileThatShrinksBetweenHolesEndsTheCopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "src")
	layout{{'h', 100_000}, {'d', 5000}, {'h', 100_000}, {'d', 5000}}.make(t, path)
	r := newRun(t, Options{})
	src := opened(t, path, unix.O_RDONLY)
	dst := opened(t, filepath.Join(dir, "dst"), unix.O_WRONLY|createFlags)
	if err := os.Truncate(path, 103_000); err != nil {
		t.Fatal(err)
	}
	if p := r.fill(dst, src); p != nil {
		t.Fatal(p)
	}
	if got := text(t, filepath.Join(dir, "dst")); got != text(t, path) {
		t.Errorf("%d bytes arrived, and differ from what is left", len(got))
	}
}

func TestSharingBlocks(t *testing.T) {
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			t.Chdir(testfs.Shared(t, kind))
			data := random(1 << 20)
			write(t, "src", string(data))
			layout{{'h', 1 << 20}, {'d', 4096}}.make(t, "holes")
			for name, test := range map[string]struct {
				src    string
				data   Data
				shared bool
			}{
				"auto":         {"src", Data{}, true},
				"always":       {"src", Data{Reflink: ReflinkAlways}, true},
				"never":        {"src", Data{Reflink: ReflinkNever}, false},
				"sparse auto":  {"holes", Data{}, true},
				"sparse never": {"holes", Data{Sparse: SparseNever}, false},
			} {
				for _, existing := range []string{"", "short", strings.Repeat("long", 1<<20)} {
					os.Remove("dst")
					if existing != "" {
						write(t, "dst", existing)
					}
					r := copyOne(t, Options{Data: test.data}, "dst", test.src)
					r.clean(t)
					if text(t, "dst") != text(t, test.src) {
						t.Errorf("%s over %d bytes: contents differ", name, len(existing))
					}
					if shared := r.Report().By[splice.Reflink] > 0; shared != test.shared {
						t.Errorf("%s over %d bytes: shared %v", name, len(existing), shared)
					}
				}
			}
		})
	}
}

func TestACloneThatFailsRemovesOnlyWhatItMade(t *testing.T) {
	t.Chdir(testfs.Shared(t, "tmpfs"))
	write(t, "src", "new")
	write(t, "old", "old")
	always := Options{Data: Data{Reflink: ReflinkAlways}}
	copyOne(t, always, "new", "src").only(t, Clone, unix.EOPNOTSUPP)
	if _, err := os.Lstat("new"); err == nil {
		t.Error("the new file stays")
	}
	copyOne(t, always, "old", "src").only(t, Clone, unix.EOPNOTSUPP)
	if got := text(t, "old"); got != "old" {
		t.Errorf("the old file is %q", got)
	}
}

func TestAMethodThatCannotServeTouchesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "src", "new")
	write(t, "old", "old")
	o := Options{Data: Data{Method: splice.CopyFileRange, Reflink: ReflinkNever}}
	copyOne(t, o, "old", "src").only(t, Unserved, nil)
	copyOne(t, o, "new", "src").only(t, Unserved, nil)
	if got := text(t, "old"); got != "old" {
		t.Errorf("the old file is %q", got)
	}
	if _, err := os.Lstat("new"); err == nil {
		t.Error("a new file was made")
	}
}

func TestASourceBehindTheDestinationIsNotEmptied(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a", "precious")
	src := opened(t, "a", unix.O_RDONLY)
	// It was another file when its name was looked at.
	r := newRun(t, Options{})
	e := &entry{src: src.at, dst: place.Path("a"), stat: src.stat, fd: src.fd, decision: decision{action: WriteInto, found: &unix.Stat_t{}}}
	_, p := r.openDest(e, src)
	if p == nil || p.What != SameFile {
		t.Errorf("%v", p)
	}
	if got := text(t, "a"); got != "precious" {
		t.Errorf("the file is %q", got)
	}
}

func TestAFileReplacedWhileItIsCopiedIsSkipped(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a", "")
	r := newRun(t, Options{})
	r.during = func(string) {
		write(t, "b", "other")
		if err := os.Rename("b", "a"); err != nil {
			t.Error(err)
		}
	}
	r.To("dst", "a", false)
	r.only(t, Replaced, nil)
	if _, err := os.Lstat("dst"); err == nil {
		t.Error("a copy was made")
	}
}
