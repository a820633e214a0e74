package main

import (
	"bytes"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// An archive is an initramfs, a cpio archive of the kind newc
// (Documentation/driver-api/early-userspace/buffer-format.rst of Linux).
type archive struct {
	out  bytes.Buffer
	inos int
	dirs map[string]bool
}

func (a *archive) file(name string, mode uint32, data []byte) {
	a.above(name)
	a.entry(name, unix.S_IFREG|mode, 0, data)
}

func (a *archive) copy(name string, mode uint32, from string) error {
	data, err := os.ReadFile(from)
	if err == nil {
		a.file(name, mode, data)
	}
	return err
}

func (a *archive) dir(name string) {
	if name == "." || a.dirs[name] {
		return
	}
	a.above(name)
	if a.dirs == nil {
		a.dirs = map[string]bool{}
	}
	a.dirs[name] = true
	a.entry(name, unix.S_IFDIR|0o755, 0, nil)
}

func (a *archive) above(name string) { a.dir(path.Dir(name)) }

func (a *archive) character(name string, major, minor uint32) {
	a.above(name)
	a.entry(name, unix.S_IFCHR|0o600, unix.Mkdev(major, minor), nil)
}

func (a *archive) entry(name string, mode uint32, dev uint64, data []byte) {
	a.inos++
	fmt.Fprintf(&a.out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.inos, mode, 0, 0, 1, 0, len(data), 0, 0, unix.Major(dev), unix.Minor(dev), len(name)+1, 0)
	a.out.WriteString(name + "\x00")
	a.pad()
	a.out.Write(data)
	a.pad()
}

func (a *archive) pad() {
	for a.out.Len()%4 != 0 {
		a.out.WriteByte(0)
	}
}

// end returns the archive.
func (a *archive) end() []byte {
	a.entry("TRAILER!!!", 0, 0, nil)
	return a.out.Bytes()
}
