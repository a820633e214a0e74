package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A durable has what the user named on disk, before its source goes. A directory
// is written back with all else on its filesystem, by one syncfs(2), where that
// reports every error. All other files, and those of trees elsewhere, are synced by
// themselves.
type durable struct {
	c  *Copier
	fd int // the directory that the copy is in, if its filesystem is to be synced; else -1
}

// beginDurable opens the destination's directory: syncfs(2) tells of an error only
// to descriptors that were open when it happened.
func (r *Renamer) beginDurable(e *entry) *durable {
	d := &durable{c: r.c, fd: -1}
	r.c.durable, r.c.batch = true, nil
	if !e.is(unix.S_IFDIR) {
		return d
	}
	fd, err := place.Open(e.dst.Sibling("."), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	switch {
	case err == nil && reportsSync(fd):
		d.fd, r.c.durable = fd, false
		return d
	case err == nil:
		unix.Close(fd)
	}
	r.c.batch = newBatch(r.c.setting, r.c.journal)
	return d
}

// finish returns when the copy is on disk.
func (d *durable) finish(e *entry) *Problem {
	if d.fd >= 0 {
		if err := place.Retry(func() error { return unix.Syncfs(d.fd) }); err != nil {
			return &Problem{What: Sync, Dest: e.dst.Path(), Err: err}
		}
	}
	// Some filesystems leave it to fsync(2) to empty the cache of the disk.
	return syncDirectory(e.dst)
}

func (d *durable) close() {
	if d.fd >= 0 {
		unix.Close(d.fd)
	}
}

// reportsSync reports whether syncfs(2) tells of every write-back error on the
// filesystem of an open file: since Linux 5.8, but not where a server or another
// filesystem below does the writing.
func reportsSync(fd int) bool {
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) != nil || !place.KernelIs(5, 8) {
		return false
	}
	switch int64(uint32(fs.Type)) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC:
		return true
	}
	return false
}
