package filecopy

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

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
			if entries, _ := os.ReadDir(disk); len(entries) > 2 || exists(place{nil, fresh}) {
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
