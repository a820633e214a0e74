package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A filesystem is a kind, and how to have an empty one.
type filesystem struct {
	name    string
	brief   bool
	modules []string
	// mount makes it on a directory. What it returns is the directory of the
	// server that has the same files, if there is one.
	mount func(t *try, dir string) (server string, err error)
}

var filesystems = []filesystem{
	{"tmpfs", true, nil, func(t *try, dir string) (string, error) {
		return "", t.mount(dir, "tmpfs", "tmpfs", "size=512M")
	}},
	{"ext4", true, nil, func(t *try, dir string) (string, error) {
		return "", t.onDisk(dir, "ext4", "mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1")
	}},
	{"xfs", false, []string{"xfs"}, func(t *try, dir string) (string, error) {
		return "", t.onDisk(dir, "xfs", "mkfs.xfs", "-q", "-f", "-m", "reflink=1")
	}},
	{"btrfs", false, []string{"btrfs"}, func(t *try, dir string) (string, error) {
		return "", t.onDisk(dir, "btrfs", "mkfs.btrfs", "-q", "-f")
	}},
	{"overlay", true, []string{"overlay"}, (*try).mountOverlay},
	{"fuse", false, []string{"fuse"}, (*try).mountFUSE},
	{"nfs", false, []string{"nfs", "nfsv4", "nfsd"}, (*try).mountNFS},
	{"cifs", false, []string{"md4", "md5", "hmac", "cmac", "ccm", "gcm", "ecb", "arc4", "libarc4", "libdes",
		"des_generic", "aes_generic", "sha256_generic", "sha512_generic", "nls_utf8", "cifs"}, (*try).mountSMB},
}

// mount mounts until the test has ended.
func (t *try) mount(dir, device, kind, data string) error {
	if err := mountOn(dir, device, kind, 0, data); err != nil {
		return err
	}
	t.cleanup(func() { t.unmount(dir) })
	return nil
}

func (t *try) unmount(dir string) {
	err := unix.Unmount(dir, 0)
	for range 100 { // who used it may still be ending
		if err != unix.EBUSY {
			break
		}
		time.Sleep(100 * time.Millisecond)
		err = unix.Unmount(dir, 0)
	}
	if err != nil {
		t.fault("unmounting", "%s: %v", dir, err)
		unix.Unmount(dir, unix.MNT_DETACH)
	}
}

// onDisk makes a filesystem on the scratch disk.
func (t *try) onDisk(dir, kind, maker string, args ...string) error {
	if err := run(maker, append(args, scratchDisk)...); err != nil {
		return err
	}
	return t.mount(dir, scratchDisk, kind, "")
}

func (t *try) mountOverlay(dir string) (string, error) {
	base := dir + ".base"
	if err := t.mount(base, "tmpfs", "tmpfs", "size=512M"); err != nil {
		return "", err
	}
	for _, name := range []string{"lower", "upper", "work"} {
		if err := os.Mkdir(filepath.Join(base, name), 0o755); err != nil {
			return "", err
		}
	}
	return "", t.mount(dir, "overlay", "overlay", fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", base))
}

func (t *try) mountFUSE(dir string) (string, error) {
	base := dir + ".base"
	if err := t.mount(base, "tmpfs", "tmpfs", "size=512M"); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := run("bindfs", "-o", "attr_timeout=0", base, dir); err != nil {
		return "", err
	}
	t.cleanup(func() { t.unmount(dir) })
	return base, nil
}

// A study is something that is tried on each filesystem.
type study struct {
	name string
	run  func(*place)
}

var studies = []study{
	{"methods", func(p *place) { p.methods(); p.together() }},
	{"trees", (*place).trees},
	{"features", (*place).features},
}

// study runs on a filesystem.
func (t *try) study(f filesystem, what study) {
	t.must(t.load(f.modules...))
	dir := filepath.Join("/mnt", f.name)
	server, err := f.mount(t, dir)
	t.must(err)
	what.run(&place{try: t, kind: f.name, dir: dir, server: server})
}

// A place is a filesystem that is tried.
type place struct {
	*try
	kind, dir string
	server    string // the directory that the server has, or ""
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }
