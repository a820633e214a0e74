package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	programsDisk = "/dev/vda"
	scratchDisk  = "/dev/vdb"
)

// setUp makes of a bare kernel what the tests expect of a system.
func setUp() error {
	for _, m := range []struct{ dir, kind, data string }{
		{"/proc", "proc", ""}, {"/sys", "sysfs", ""}, {"/dev", "devtmpfs", ""},
		{"/dev/pts", "devpts", "ptmxmode=666"}, {"/dev/shm", "tmpfs", "mode=1777"},
		{"/tmp", "tmpfs", "mode=1777"}, {"/run", "tmpfs", ""},
	} {
		if err := mountOn(m.dir, m.kind, m.kind, 0, m.data); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2",
	} {
		os.Symlink(target, filepath.Join("/dev", name))
	}
	o, err := readOrder()
	if err != nil {
		return err
	}
	if err := o.load("virtio_pci", "virtio_blk", "virtio_rng", "crc32c_generic", "loop"); err != nil {
		return err
	}
	if err := mountOn("/deb", programsDisk, "ext4", unix.MS_RDONLY, ""); err != nil {
		return err
	}
	for _, dir := range []string{"usr", "bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("/deb/"+dir, "/"+dir); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"passwd":        "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
		"group":         "root:x:0:\nnogroup:x:65534:\n",
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
		"hostname":      "guest\n",
		"netconfig":     "udp tpi_clts v inet udp - -\ntcp tpi_cots_ord v inet tcp - -\n",
		"services":      "nfs 2049/tcp\nnfs 2049/udp\n",
		"protocols":     "tcp 6 TCP\nudp 17 UDP\n",
		"fuse.conf":     "user_allow_other\n",
	} {
		if err := os.WriteFile("/etc/"+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	os.Symlink("/proc/self/mounts", "/etc/mtab")
	unix.Sethostname([]byte("guest"))
	unix.Umask(0o022)
	return run("ip", "link", "set", "lo", "up")
}

func mountOn(dir, device, kind string, flags uintptr, data string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(device, dir, kind, flags, data); err != nil {
		return fmt.Errorf("mount %s on %s: %w", device, dir, err)
	}
	return nil
}

// load loads modules with all that they need. A kernel that has one built in, or
// has none, is no error.
func (o *order) load(names ...string) error {
	for _, name := range names {
		for _, module := range o.Modules[name] {
			file, err := os.Open("/modules/" + module + ".ko")
			if err == nil {
				err = unix.FinitModule(int(file.Fd()), "", 0)
				file.Close()
			}
			if err != nil && err != unix.EEXIST && err != unix.ENODEV {
				return fmt.Errorf("module %s: %w", module, err)
			}
		}
	}
	return nil
}

// run runs a program of the system. The error holds what it said.
func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
