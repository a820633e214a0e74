// Package testfs gives tests a directory on a filesystem of the kind they ask
// for, freshly made. It needs root, mount(8) and the mkfs of that kind.
//
// A test that cannot have what it needs is skipped with the reason, and fails
// where the environment says CI=true: there a test may skip only what the
// running kernel lacks (kernel.go).
//
// Nothing stays behind. Each mount has a keeper, a process that removes it when
// the test ends, fails, panics or is killed (see keeper.go).
package testfs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// DefaultSize is the size in bytes of the filesystems that Mount and Shared
// make. Their images are sparse, and mkfs.xfs takes nothing below 300 MB.
const DefaultSize = 1 << 30

// makers write a filesystem into the image file named last.
var makers = map[string][]string{
	"ext4":          {"mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"},
	"xfs":           {"mkfs.xfs", "-q", "-K", "-m", "reflink=1"},
	"xfs-noreflink": {"mkfs.xfs", "-q", "-K", "-m", "reflink=0"},
	"btrfs":         {"mkfs.btrfs", "-q", "-K"},
}

// Kinds are the filesystems that can be asked for.
func Kinds() []string {
	return []string{"ext4", "tmpfs", "xfs", "xfs-noreflink", "btrfs", "overlay", "fuse"}
}

// Mount makes a filesystem and returns the directory that it is mounted on. It
// is gone when the test has ended.
func Mount(t testing.TB, kind string) string {
	t.Helper()
	return MountSized(t, kind, DefaultSize)
}

// MountSized is Mount with a size in bytes, for filesystems that a test fills.
func MountSized(t testing.TB, kind string, bytes int64) string {
	t.Helper()
	k := mount(t, kind, bytes)
	t.Cleanup(k.release)
	return k.target()
}

var shared struct {
	sync.Mutex
	mounts map[string]*keeper // referred to for as long as the process lives
}

// Shared returns an empty directory on a filesystem that all tests of this
// process share, since making one takes a while. The directory is removed when
// the test has ended, the filesystem when the process has.
func Shared(t testing.TB, kind string) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	k, ok := shared.mounts[kind]
	if !ok {
		k = mount(t, kind, DefaultSize)
		if shared.mounts == nil {
			shared.mounts = make(map[string]*keeper)
		}
		shared.mounts[kind] = k
	}
	dir, err := os.MkdirTemp(k.target(), "test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// mount returns the keeper of a mounted filesystem.
func mount(t testing.TB, kind string, bytes int64) *keeper {
	t.Helper()
	if testing.Short() {
		t.Skip("-short makes no filesystems")
	}
	NeedRoot(t)
	Need(t, "mount")
	Need(t, "umount")
	if !slices.Contains(Kinds(), kind) {
		t.Fatalf("no filesystem kind %q", kind)
	}
	maker, image := makers[kind]
	if image {
		Need(t, maker[0])
	}
	if kind == "fuse" {
		Need(t, "bindfs")
	}
	sweep()
	k, err := newKeeper()
	if err != nil {
		t.Fatal("testfs: ", err)
	}
	if image {
		if err := makeImage(k.image(), maker, bytes); err != nil {
			k.release()
			t.Fatal(err)
		}
	}
	if err := k.mount(kind, bytes); err != nil {
		k.release()
		NeedKernel(t, filesystem(kind))
		Unavailable(t, err.Error())
	}
	return k
}

func makeImage(image string, maker []string, bytes int64) error {
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(image, bytes); err != nil {
		return err
	}
	return run(maker[0], append(maker[1:len(maker):len(maker)], image)...)
}

// mount mounts the image, if the kind has one. mount(8) sets the loop device up
// so that it detaches itself when the filesystem is unmounted.
func (k *keeper) mount(kind string, bytes int64) error {
	switch kind {
	case "tmpfs":
		return mountTmpfs(k.target(), bytes)
	case "overlay":
		return mountOverlay(k, bytes)
	case "fuse":
		return mountFUSE(k, bytes)
	case "ext4":
		return run("mount", "-o", "loop,noinit_itable", k.image(), k.target()) // no writing in the background
	default:
		return run("mount", "-o", "loop", k.image(), k.target())
	}
}

func mountTmpfs(dir string, bytes int64) error {
	return run("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "tmpfs", dir)
}

// mountOverlay lays an overlay over two directories of a tmpfs, since the
// temporary directory may itself be an overlay, which cannot be stacked freely.
func mountOverlay(k *keeper, bytes int64) error {
	if err := mountTmpfs(k.base(), bytes); err != nil {
		return err
	}
	for _, name := range []string{"lower", "upper", "work"} {
		if err := os.Mkdir(filepath.Join(k.base(), name), 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", k.base())
	return run("mount", "-t", "overlay", "-o", options, "overlay", k.target())
}

// mountFUSE shows a tmpfs a second time, by way of bindfs(1).
func mountFUSE(k *keeper, bytes int64) error {
	if err := mountTmpfs(k.base(), bytes); err != nil {
		return err
	}
	return run("bindfs", k.base(), k.target())
}

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
