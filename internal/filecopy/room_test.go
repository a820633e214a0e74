package filecopy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

// free is how many blocks of a filesystem are.
func free(t *testing.T, dir string) uint64 {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	return fs.Bfree
}

// extentTree is a block or two in which ext4 keeps where many blocks were.
const extentTree = 8

func TestAFileThatCannotFitIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large")
	write(t, large, string(make([]byte, 40<<20)))
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			disk := testfs.MountSized(t, kind, 16<<20)
			old, fresh := filepath.Join(disk, "old"), filepath.Join(disk, "fresh")
			write(t, old, "old")
			before, room := stat(t, old), free(t, disk)
			for _, o := range []Options{{}, {Safety: Safety{Atomic: true}}, {Safety: Safety{Resume: true}}} {
				for _, dest := range []string{old, fresh} {
					r := newRun(t, o)
					r.To(dest, large, false)
					r.only(t, NoRoom, unix.ENOSPC)
				}
			}
			if now := stat(t, old); text(t, old) != "old" || now.Mtim != before.Mtim || now.Blocks > before.Blocks+extentTree {
				t.Errorf("the old file was %+v, is %+v", before, now)
			}
			if entries, _ := os.ReadDir(disk); len(entries) > 2 || place.Exists(place.Path(fresh)) {
				t.Errorf("left: %v", entries)
			}
			if now := free(t, disk); now+extentTree < room {
				t.Errorf("%d blocks were free, %d are", room, now)
			}
		})
	}
}

func TestAFileThatFitsInTheRoomOfTheOldOneIsCopied(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			disk := testfs.MountSized(t, kind, 16<<20)
			size := int(free(t, disk)) * 4096 * 3 / 4
			if kind == "ext4" { // whose blocks are smaller on small disks
				size /= 4
			}
			large := filepath.Join(dir, kind)
			write(t, large, string(make([]byte, size)))
			for range 2 {
				r := newRun(t, Options{Data: Data{Sparse: SparseNever}})
				r.To(filepath.Join(disk, "copy"), large, false)
				r.clean(t)
			}
			r := newRun(t, Options{Data: Data{Sparse: SparseNever}, Safety: Safety{Atomic: true}})
			r.To(filepath.Join(disk, "copy"), large, false)
			r.only(t, NoRoom, unix.ENOSPC) // both cannot be there at a time
		})
	}
}

func TestARefusalLeavesTheHolesOfTheOldFile(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large")
	write(t, large, string(random(40<<20)))
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			disk := testfs.MountSized(t, kind, 32<<20)
			old := filepath.Join(disk, "old")
			write(t, old, "old")
			if err := os.Truncate(old, 30<<20); err != nil {
				t.Fatal(err)
			}
			before := stat(t, old)
			r := newRun(t, Options{})
			r.To(old, large, false)
			r.only(t, NoRoom, unix.ENOSPC)
			if now := stat(t, old); now.Blocks > before.Blocks+extentTree || now.Size != before.Size {
				t.Errorf("the old file had %d blocks, has %d", before.Blocks, now.Blocks)
			}
		})
	}
}

// Files that are larger than the room that is left are copied, or not, as one
// worker would.
func TestWorkersCopyWhatOneWouldOnADiskThatIsNearlyFull(t *testing.T) {
	t.Chdir(t.TempDir())
	mkdir(t, "d")
	for _, name := range []string{"a", "b", "c", "e"} {
		write(t, "d/"+name, string(random(6<<20)))
	}
	for range 60 { // so that there is enough to do
		write(t, fmt.Sprint("d/small", len(dir(t, "d"))), "small")
	}
	copied := func(o Options, jobs int) (result []string) {
		disk := testfs.MountSized(t, "tmpfs", 14<<20)
		o.Jobs = jobs
		c := New(o, Listener{Tell: func(e Event) {
			if p, ok := e.(*Problem); ok {
				result = append(result, fmt.Sprint(p.What, p.Dest[len(disk):]))
			}
		}})
		defer c.Close()
		c.To(filepath.Join(disk, "d"), "d", true)
		return append(result, dir(t, filepath.Join(disk, "d"))...)
	}
	for _, o := range []Options{recursive(), {Recursive: true, Safety: Safety{Atomic: true}}} {
		want := copied(o, 1)
		if len(want) != 64 { // two files do not fit, two and the small ones are there
			t.Fatalf("one worker: %q", want)
		}
		for range 5 {
			if got := copied(o, 4); !slices.Equal(got, want) {
				t.Errorf("four workers: %q, one: %q", got, want)
			}
		}
	}
}

// dir lists a directory.
func dir(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
