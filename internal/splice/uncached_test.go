package splice

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// TestAnUncachedCopyLeavesNothingInThePageCache, neither where the kernel does
// it, nor where pages are dropped behind the copy.
func TestAnUncachedCopyLeavesNothingInThePageCache(t *testing.T) {
	refusing := host
	refusing.readUncached = func(int, []byte) (int, error) { return -1, unix.EOPNOTSUPP }
	refusing.writeUncached = func(int, []byte) (int, error) { return -1, unix.EOPNOTSUPP }
	for _, fs := range []string{"ext4", "xfs", "btrfs", "tmpfs"} {
		for name, k := range map[string]*kernel{"kernel": &host, "advice": &refusing} {
			t.Run(fs+" by "+name, func(t *testing.T) {
				dir := testfs.Shared(t, fs)
				want := bytes.Repeat([]byte("never mind"), 2_222_222)
				src, dst := create(t, filepath.Join(dir, "src")), create(t, filepath.Join(dir, "dst"))
				if _, err := src.Write(want); err != nil {
					t.Fatal(err)
				}
				if _, err := src.Seek(0, 0); err != nil {
					t.Fatal(err)
				}
				src.Sync()
				host.dropCache(int(src.Fd()), 0, 0)
				r := copyUncached(t, k, dst, src)
				refused := len(r.Fallbacks) > 0
				if refused != (r.By[Uncached] == 0) || refused && r.Fallbacks[0].Err != unix.EOPNOTSUPP || k == &refusing && !refused {
					t.Errorf("%+v", r)
				}
				// tmpfs has nowhere else to put its pages. What is under way
				// to the disk is dropped when it has arrived there.
				if fs != "tmpfs" {
					unix.Fdatasync(int(dst.Fd()))
					for _, f := range []*os.File{src, dst} {
						if n := cachedInTheEnd(t, f, 1<<20); n > 1<<20 {
							t.Errorf("%d bytes of %s are in the page cache: %+v", n, f.Name(), r)
						}
					}
				}
				if got, err := os.ReadFile(dst.Name()); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes arrived (%v), want %d", len(got), err, len(want))
				}
			})
		}
	}
}

func copyUncached(t *testing.T, k *kernel, dst, src *os.File) Report {
	t.Helper()
	d, err := Describe(int(dst.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Describe(int(src.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	c := New()
	defer c.Close()
	c.kernel = k
	r, err := c.Copy(d, s, Options{NoCache: true, NoOffload: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatTheDiskSaysBehindAnUncachedCopyIsNotLost(t *testing.T) {
	k := host
	k.writeUncached = func(int, []byte) (int, error) { return -1, unix.EOPNOTSUPP }
	k.syncRange = func(int, int64, int64, int) error { return unix.EIO }
	dir := t.TempDir()
	src, dst := create(t, filepath.Join(dir, "src")), create(t, filepath.Join(dir, "dst"))
	if _, err := src.WriteString("something"); err != nil {
		t.Fatal(err)
	}
	src.Seek(0, 0)
	d, _ := Describe(int(dst.Fd()))
	s, _ := Describe(int(src.Fd()))
	c := New()
	defer c.Close()
	c.kernel = &k
	_, err := c.Copy(d, s, Options{NoCache: true})
	if w, ok := err.(*WriteError); !ok || w.Err != unix.EIO {
		t.Errorf("error %v, want EIO of the sink", err)
	}
}

func create(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// cached is how many bytes of a file are in the page cache.
func cached(t *testing.T, f *os.File) int64 {
	t.Helper()
	testfs.NeedKernel(t, testfs.Cachestat)
	var c unix.Cachestat_t
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{}, &c, 0); err != nil {
		t.Fatal("cachestat: ", err)
	}
	return int64(c.Cache) * int64(os.Getpagesize())
}

// cachedInTheEnd gives a kernel that drops pages by itself, behind the writing,
// the time to do it: until there are no more than most bytes.
func cachedInTheEnd(t *testing.T, f *os.File, most int64) int64 {
	t.Helper()
	n := cached(t, f)
	for end := time.Now().Add(10 * time.Second); n > most && time.Now().Before(end); n = cached(t, f) {
		time.Sleep(time.Millisecond)
	}
	return n
}

func TestPlansPastThePageCache(t *testing.T) {
	xfs := func() *Descriptor {
		d := big(Regular)
		d.FS = unix.XFS_SUPER_MAGIC
		return d
	}
	empty := xfs()
	empty.Stat.Size = 0
	short := big(Regular)
	short.Stat.Size = 4095
	for _, c := range []struct {
		dst, src *Descriptor
		o        Options
		want     string
	}{
		{big(Regular), big(Regular), Options{NoCache: true}, "UW"},
		{big(Regular), big(Regular), Options{Direct: true}, "DW"},
		{big(Regular), big(Regular), Options{Direct: true, NoCache: true}, "DUW"},
		{big(Regular), short, Options{Direct: true}, "W"},
		{big(Regular), big(Pipe), Options{Direct: true, NoCache: true}, "UW"},
		{big(Pipe), big(Regular), Options{Direct: true}, "W"},
		{empty, xfs(), Options{Direct: true}, "RDW"},
		{big(Regular), big(Regular), Options{NoCache: true, Method: Sendfile}, "E"},
	} {
		if plan, err := Plan(c.dst, c.src, c.o); err != nil || letters(plan) != c.want {
			t.Errorf("%+v: %s, %v, want %s", c.o, letters(plan), err, c.want)
		}
	}
}
