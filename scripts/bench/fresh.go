package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A case whose filesystem has a "!" behind it works on a new one in each round:
// ext4 makes files 25 times slower where some were deleted seconds before. What
// is copied or moved there comes from tmpfs, and is made anew, too.

// freshOut is what the tools of such a case make.
const freshOut = "fresh/out"

// freshFS is the filesystem of such a case, or "".
func (c benchCase) freshFS() string {
	fs, fresh := strings.CutSuffix(c.fs, "!")
	if !fresh {
		return ""
	}
	return fs
}

func (c benchCase) sourceFS() string {
	if c.freshFS() != "" {
		return "tmpfs"
	}
	return c.fs
}

func (l *lane) freshDir() string { return filepath.Join(l.root, "fresh") }

func (l *lane) startAfresh() error {
	if err := l.unmountFresh(); err != nil {
		return err
	}
	if err := mount(l.freshFS(), l.freshDir(), l.size); err != nil {
		return err
	}
	name := l.tree()
	err := cmp.Or(os.RemoveAll(l.path(name)), trees[name].each(name, l.makeFile))
	return cmp.Or(err, syncfs(l.freshDir()), syncfs(l.root))
}

// unmountFresh also removes what the filesystem was made in.
func (l *lane) unmountFresh() error {
	if l.freshFS() == "" {
		return nil
	}
	dir := l.freshDir()
	// EINVAL and ENOENT: it never was mounted.
	if err := unix.Unmount(dir, 0); err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return fmt.Errorf("%s is still mounted: %w", dir, err)
	}
	return cmp.Or(os.RemoveAll(dir), os.RemoveAll(dir+".image"))
}
