package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A tree has files of smallFile bytes. One after the other they are the stream.
type tree struct{ files, inDirectory int64 }

var trees = map[string]tree{
	"tree": {20_000, 100},
	"flat": {100_000, 100_000},
}

const smallFile = 1 << 10

// The file "sparse" is a hole of this size in bytes, but for some of the stream
// in its middle.
const (
	sparseSize   = 1 << 40
	sparseOffset = sparseSize / 2
	sparseData   = 1 << 20
)

func (l *lane) path(name string) string { return filepath.Join(l.dir, name) }

// makeInput makes what the commands of the case read, and sees it to the disk,
// or the kernel would write it back while a tool is measured.
func (l *lane) makeInput() (err error) {
	switch {
	case l.columns() > 0:
		err = l.makeText(l.columns())
	case l.names("in"):
		err = l.makeFile("in", 0, l.length)
	case l.names("in.1"):
		for i := int64(0); i < 3 && err == nil; i++ {
			err = l.makeFile(fmt.Sprintf("in.%d", i+1), l.length*i/3, l.length*(i+1)/3)
		}
	case l.names("sparse"):
		err = l.makeSparse()
	case l.tree() != "":
		err = trees[l.tree()].each(l.tree(), l.makeFile)
	}
	return cmp.Or(err, syncfs(l.dir))
}

func (l *lane) makeFile(name string, offset, end int64) error {
	if err := os.MkdirAll(filepath.Dir(l.path(name)), 0o755); err != nil {
		return err
	}
	f, err := os.Create(l.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	return l.stream.writeTo(f, offset, end)
}

// tree is the name of the tree that the commands copy, or "".
func (l *lane) tree() string {
	for name := range trees {
		if l.names(name) {
			return name
		}
	}
	return ""
}

func (l *lane) makeSparse() error {
	f, err := os.Create(l.path("sparse"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(sparseSize); err != nil {
		return err
	}
	return l.stream.writeTo(io.NewOffsetWriter(f, sparseOffset), 0, sparseData)
}

// checkSparse does not read the holes: that they are some is what counts.
func (l *lane) checkSparse(name string) error {
	f, err := os.Open(l.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Size != sparseSize || st.Blocks*512 > 2*sparseData {
		return fmt.Errorf("%s: %d bytes in %d blocks", name, st.Size, st.Blocks)
	}
	return l.stream.compare(io.NewSectionReader(f, sparseOffset, sparseData), 0, sparseData)
}

// each calls visit for each file of a tree with the part of the stream that it
// holds.
func (t tree) each(root string, visit func(name string, offset, end int64) error) error {
	for i := range t.files {
		name := fmt.Sprintf("%s/%d/%d", root, i/t.inDirectory, i%t.inDirectory)
		if err := visit(name, i*smallFile, (i+1)*smallFile); err != nil {
			return err
		}
	}
	return nil
}

// checkOutput compares what a tool has made with the stream.
func (l *lane) checkOutput() (err error) {
	for _, name := range l.makes() {
		switch {
		case l.names("sparse"):
			err = cmp.Or(err, l.checkSparse(name))
		case l.tree() != "":
			err = cmp.Or(err, trees[l.tree()].each(name, l.checkFile))
		default:
			err = cmp.Or(err, l.checkFile(name, 0, l.length))
		}
	}
	return err
}

func (l *lane) checkFile(name string, offset, end int64) error {
	f, err := os.Open(l.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := l.stream.compare(f, offset, end); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// clear removes what the run before has made. Where the case is about the
// disk, it lets the disk come to rest.
func (l *lane) clear() error {
	for _, name := range l.makes() {
		if err := os.RemoveAll(l.path(name)); err != nil {
			return err
		}
	}
	if l.freshFS() != "" {
		return l.startAfresh()
	}
	switch l.shows {
	case "cold":
		return cmp.Or(syncfs(l.dir), forget(l.path("in")))
	case "synced":
		return syncfs(l.dir)
	}
	return l.level()
}

// level leaves free memory as one writer leaves it, whoever ran before. Freed
// pages of a tool that wrote 4 KiB at a time cost the next one, which gets them
// again, up to five times the CPU.
func (l *lane) level() (err error) {
	for i := range l.makes() {
		f, createErr := os.Create(l.path(fmt.Sprint("level.", i)))
		if createErr != nil {
			return createErr
		}
		defer os.Remove(f.Name())
		defer f.Close()
		for written := int64(0); written < l.length && err == nil; written += int64(len(zeros)) {
			_, err = f.Write(zeros[:min(int64(len(zeros)), l.length-written)])
		}
	}
	return err
}

var zeros [1 << 20]byte

// forget drops a file from the page cache. The kernel need not take that
// advice, so where it can tell (cachestat, Linux 6.5) it is asked.
func forget(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return os.NewSyscallError("fadvise", err)
	}
	var cached unix.Cachestat_t
	err = unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{}, &cached, 0)
	if err == nil && cached.Cache > 0 {
		return fmt.Errorf("%s: %d pages stay in the page cache", path, cached.Cache)
	}
	return nil
}

// syncfs waits until the filesystem that dir is on has been written to disk.
func syncfs(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(d.Fd())))
}
