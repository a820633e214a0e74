package filecopy

import "golang.org/x/sys/unix"

// devices knows which filesystem is on each device that was met, by its magic
// number (statfs(2)); 0 if it could not be asked.
type devices map[uint64]int64

func (d devices) filesystem(f *file) int64 {
	dev := uint64(f.stat.Dev)
	magic, known := d[dev]
	if !known {
		var fs unix.Statfs_t
		if err := unix.Fstatfs(f.fd, &fs); err == nil {
			magic = int64(uint32(fs.Type))
		}
		d[dev] = magic
	}
	return magic
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
