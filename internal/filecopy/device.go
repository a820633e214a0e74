package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// devices knows the filesystems that were met, by their device numbers.
type devices map[uint64]*device

type device struct {
	magic int64 // statfs(2); 0 if it could not be asked
	plain bool  // it has answered that it cannot share blocks
}

func (d devices) filesystem(f *file) int64 {
	dev := uint64(f.stat.Dev)
	known := d[dev]
	if known == nil {
		known = &device{}
		var fs unix.Statfs_t
		if err := unix.Fstatfs(f.fd, &fs); err == nil {
			known.magic = int64(uint32(fs.Type))
		}
		d[dev] = known
	}
	return known.magic
}

// plain reports whether a file that was described is on a filesystem that is
// known not to share blocks, although others of its kind do.
func (d devices) plain(f *splice.Descriptor) bool {
	known := d[uint64(f.Stat.Dev)]
	return known != nil && known.plain
}

func (d devices) makePlain(f *splice.Descriptor) {
	if known := d[uint64(f.Stat.Dev)]; known != nil {
		known.plain = true
	}
}

// keepsSizes reports whether a regular file on the filesystem is as long as
// fstat(2) says. Not so on procfs, sysfs, FUSE and some network filesystems.
func keepsSizes(magic int64) bool {
	switch magic {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.F2FS_SUPER_MAGIC:
		return true
	}
	return false
}

// onDisk reports whether there is more to a filesystem than the page cache.
func onDisk(magic int64) bool {
	return magic != unix.TMPFS_MAGIC && magic != unix.RAMFS_MAGIC
}
