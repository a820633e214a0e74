package testfs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A Thin is an ext4 filesystem on a disk that has fewer blocks than it says, as
// thinly provisioned ones have: a sparse image on a tmpfs. Once the tmpfs is
// full, what is written to the filesystem's free blocks gets into the page cache
// and never to the disk.
type Thin struct {
	Dir string // where it is mounted
	k   *keeper
}

const (
	thinImage   = 32 << 20
	thinStorage = thinImage + 4<<20
)

// NewThin makes a thin filesystem whose disk has room for all of it. Its own
// blocks, the journal's and those of the tables, are on the disk from the
// beginning, so that only data can be without one.
func NewThin(t testing.TB) *Thin {
	t.Helper()
	NeedRoot(t)
	for _, program := range []string{"mount", "umount", "mkfs.ext4", "fstrim"} {
		Need(t, program)
	}
	sweep()
	k, err := newKeeper()
	if err != nil {
		t.Fatal("testfs: ", err)
	}
	t.Cleanup(k.release)
	f := &Thin{Dir: k.target(), k: k}
	if err := mountTmpfs(k.base(), thinStorage); err != nil {
		Unavailable(t, err.Error())
	}
	maker := []string{"mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"}
	if err := makeImage(f.image(), maker, thinImage); err != nil {
		t.Fatal(err)
	}
	if err := allocate(f.image(), thinImage); err != nil {
		t.Fatal(err)
	}
	f.mount(t)
	if err := run("fstrim", f.Dir); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *Thin) image() string   { return filepath.Join(f.k.base(), "image") }
func (f *Thin) ballast() string { return filepath.Join(f.k.base(), "ballast") }

func (f *Thin) mount(t testing.TB) {
	t.Helper()
	if err := run("mount", "-o", "loop,noinit_itable", f.image(), f.Dir); err != nil {
		Unavailable(t, err.Error())
	}
}

// allocate gives a file all its blocks, and leaves what is in it.
func allocate(name string, size int64) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Fallocate(int(file.Fd()), 0, 0, size)
}

// Fill leaves the disk without a free block.
func (f *Thin) Fill(t testing.TB) {
	t.Helper()
	if err := run("sync", "-f", f.Dir); err != nil { // what it has is not to fail
		t.Fatal(err)
	}
	ballast, err := os.Create(f.ballast())
	if err != nil {
		t.Fatal(err)
	}
	defer ballast.Close()
	for size, block := 0, make([]byte, 4096); ; size += len(block) {
		if _, err := ballast.Write(block); err == nil {
			continue
		}
		if size == 0 {
			t.Fatal("the disk was full already")
		}
		return
	}
}

// Extend gives the disk its blocks back.
func (f *Thin) Extend(t testing.TB) {
	t.Helper()
	if err := os.Remove(f.ballast()); err != nil {
		t.Fatal(err)
	}
}

// Remount shows what is on the disk, and not in the page cache.
func (f *Thin) Remount(t testing.TB) {
	t.Helper()
	if err := run("umount", f.Dir); err != nil {
		t.Fatal(fmt.Errorf("remount: %w", err))
	}
	f.mount(t)
}
