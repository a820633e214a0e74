package main

import (
	"bytes"

	"golang.org/x/sys/unix"

	"zeroutils/internal/procstart"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// measure leaves out the files that are not there, and says how much the others
// hold together: those behind the last that has no size, or 0 if one is not there.
func (p *pv) measure(names []string) (there []string, total int64) {
	known := true
	for _, name := range names {
		size, err := p.sizeOf(name)
		switch {
		case err != nil:
			p.fail(pvNoAccess, "%s: %v", name, err)
			known = false
			continue
		case size >= 0:
			total += size
		case p.look.Lines:
			known = false
		default:
			total = 0 // as in pv: what comes behind it counts
		}
		there = append(there, name)
	}
	switch {
	case p.sized || p.nothing && p.stop:
		return there, p.size
	case known && total > 0:
	case p.out.Kind == splice.Block && !p.look.Lines:
		total, p.stop = leftOnDevice(p.out), true
	default:
		total = 0
	}
	p.sized = total > 0
	p.size = total
	return there, total
}

// sizeOf is how many bytes, or lines, a file has, and -1 if nobody knows.
func (p *pv) sizeOf(name string) (int64, error) {
	if name == "-" {
		if procstart.Closed(0) {
			return -1, unix.EBADF
		}
		src, err := splice.Describe(0)
		if err != nil {
			return -1, err
		}
		return p.lengthOf(src), nil
	}
	var stat unix.Stat_t
	if err := unix.Stat(name, &stat); err != nil {
		return -1, err
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		return -1, nil // reading it says what is wrong
	}
	if mode := stat.Mode & unix.S_IFMT; mode != unix.S_IFREG && mode != unix.S_IFBLK {
		return -1, nil // opening it might wait
	}
	fd, err := tool.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	src, err := splice.Describe(fd)
	if err != nil {
		return -1, err
	}
	return p.lengthOf(src), nil
}

// lengthOf is how much is behind the offset of a regular file or block device.
func (p *pv) lengthOf(src *splice.Descriptor) int64 {
	switch {
	case p.look.Lines && src.Kind == splice.Regular && !p.sized:
		return p.linesIn(src)
	case p.look.Lines:
	case src.Kind == splice.Regular:
		return src.Remaining()
	case src.Kind == splice.Block:
		return leftOnDevice(src)
	}
	return -1
}

// linesIn counts the lines of a regular file without moving its offset.
func (p *pv) linesIn(src *splice.Descriptor) (lines int64) {
	buf := make([]byte, lookSize)
	for at := src.Offset; ; {
		n, err := unix.Pread(src.FD, buf, at)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1
		}
		if n == 0 {
			return lines
		}
		lines += int64(bytes.Count(buf[:n], p.terminator()))
		at += int64(n)
	}
}

func (p *pv) terminator() []byte {
	if p.null {
		return []byte{0}
	}
	return []byte{'\n'}
}
