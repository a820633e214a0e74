package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The ground is a temporary directory in which all cases run, with the
// filesystems that they want. After close nothing of it is left.
type ground struct {
	root   string
	wanted []string // filesystems
	size   int64    // of each filesystem
	places map[string]place
	stream stream
	null   *os.File
	log    *os.File // what tools and helpers say on standard error
}

// A place is a directory on some filesystem.
type place struct {
	dir string
	err error // why there is no such place
}

// newGround allows for cases of size bytes. A filesystem has to hold an input
// and two outputs; the 1 GiB more is for XFS, which takes no less than 300 MB,
// and for trees on ext4, which has one inode for 16 KiB.
func newGround(dir string, wanted []string, size int64) (*ground, error) {
	g := &ground{wanted: wanted, size: 3*size + 1<<30, places: map[string]place{}}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if g.stream, err = newStream(); err != nil {
		return nil, err
	}
	if g.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	if g.root, err = os.MkdirTemp(dir, "bench-"); err != nil {
		return nil, err
	}
	g.places[nothing] = place{dir: g.root}
	g.log, err = os.OpenFile(filepath.Join(g.root, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	return g, err
}

// close unmounts and removes everything.
func (g *ground) close() (err error) {
	for _, p := range g.places {
		if p.dir == g.root {
			continue
		}
		// EINVAL and ENOENT: it never was mounted.
		if e := unix.Unmount(p.dir, 0); e != nil && e != unix.EINVAL && e != unix.ENOENT {
			err = cmp.Or(err, fmt.Errorf("%s is still mounted: %w", p.dir, e))
		}
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(g.root)
}

// place is where a case that wants the filesystem fs can run. It is made when
// the first case asks for it.
func (g *ground) place(fs string) place {
	p, ok := g.places[fs]
	if !ok {
		p = g.newPlace(fs)
		g.places[fs] = p
	}
	return p
}

// newPlace mounts a filesystem. Where that is not allowed, the ground itself
// will do if it is on the right one; but a fresh one is alike on all machines.
func (g *ground) newPlace(fs string) place {
	switch {
	case !slices.Contains(g.wanted, fs):
		return place{g.root, errors.New("not among the filesystems of -f")}
	case os.Geteuid() == 0:
		dir := filepath.Join(g.root, fs)
		return place{dir, mount(fs, dir, g.size)}
	case !isOn(g.root, fs):
		return place{g.root, fmt.Errorf("%s is not on %s, and only root can mount one", g.root, fs)}
	}
	return place{dir: g.root}
}

// isOn tells whether path is on the filesystem fs.
func isOn(path, fs string) bool {
	magic := map[string]uint32{
		"ext4":  unix.EXT4_SUPER_MAGIC,
		"xfs":   unix.XFS_SUPER_MAGIC,
		"btrfs": unix.BTRFS_SUPER_MAGIC,
		"tmpfs": unix.TMPFS_MAGIC,
	}
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && uint32(st.Type) == magic[fs]
}

// mountScript mounts the filesystem $1, made in a sparse file, on $2. Direct
// I/O below it keeps the image out of the page cache; otherwise nothing on it
// would ever be cold, and a sync took four times as long as on a disk. The
// detached loop device goes away with the mount.
const mountScript = `
mkdir "$2"
if [ "$1" = tmpfs ]; then
	exec mount -t tmpfs -o size="$3" tmpfs "$2"
fi
truncate -s "$3" "$2.image"
"mkfs.$1" -q "$2.image"
device=$(losetup --find --show --direct-io=on "$2.image")
trap 'losetup --detach "$device"' EXIT
mount "$device" "$2"
`

// mount runs the script in a process group of its own, where an interrupt from
// the keyboard does not stop it halfway.
func mount(fs, dir string, size int64) error {
	cmd := exec.Command("sh", "-euc", mountScript, "mount", fs, dir, strconv.FormatInt(size, 10))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mount: %w: %s", err, said)
	}
	return nil
}
