package main

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
)

// An openFile is a regular file or block device that another process has open.
type openFile struct {
	target target // that it was found for
	fd     int
	file   string // its name
	stat   unix.Stat_t
	at     int64 // the offset
	flags  int   // of open(2)
	gone   bool  // closed, or something else by now

	name  string
	meter *meter.Meter
}

// errNotSeekable is what has no offset to watch.
type errNotSeekable struct{}

func (errNotSeekable) Error() string { return "not a regular file or block device" }

// open looks at a descriptor of a process: proc_pid_fd(5), proc_pid_fdinfo(5).
// The error is errNotSeekable or an errno, ENOENT if it is not open.
func (t target) open(fd int) (*openFile, error) {
	number := strconv.Itoa(fd)
	f := &openFile{target: t, fd: fd}
	if err := unix.Stat(t.path("fd", number), &f.stat); err != nil {
		return nil, err
	}
	if mode := f.stat.Mode & unix.S_IFMT; mode != unix.S_IFREG && mode != unix.S_IFBLK {
		return nil, errNotSeekable{}
	}
	var err error
	if f.file, err = os.Readlink(t.path("fd", number)); err != nil {
		return nil, err
	}
	info, err := os.ReadFile(t.path("fdinfo", number))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(info)) {
		key, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); key {
		case "pos":
			f.at, _ = strconv.ParseInt(value, 10, 64) // the kernel wrote it
		case "flags":
			flags, _ := strconv.ParseInt(value, 8, 64)
			f.flags = int(flags)
		}
	}
	return f, nil
}

// total is how far the offset will go: size if that is known, or the end of a
// file that is read. What is written has no end.
func (f *openFile) total(size int64) int64 {
	switch {
	case size > 0:
		return size
	case f.flags&unix.O_ACCMODE != unix.O_RDONLY:
		return 0
	case f.stat.Mode&unix.S_IFMT == unix.S_IFBLK:
		return deviceSize(uint64(f.stat.Rdev))
	}
	return f.stat.Size
}

// deviceSize is that of a block device, in bytes, from sysfs; 0 if it is not to
// be had.
func deviceSize(rdev uint64) int64 {
	const sector = 512
	device := strconv.Itoa(int(unix.Major(rdev))) + ":" + strconv.Itoa(int(unix.Minor(rdev)))
	text, err := os.ReadFile("/sys/dev/block/" + device + "/size")
	if err != nil {
		return 0
	}
	sectors, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return sectors * sector
}

// update looks how far it has come, and returns false once it is gone.
func (f *openFile) update() bool {
	if f.gone {
		return false
	}
	now, err := f.target.open(f.fd)
	if err != nil || now.stat.Dev != f.stat.Dev || now.stat.Ino != f.stat.Ino || now.flags != f.flags {
		f.gone = true
		return false
	}
	f.meter.Add(now.at - f.at)
	f.at = now.at
	return true
}
