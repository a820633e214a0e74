package main

import (
	"os"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// throughStore writes everything to a file, and then that to the output. The size
// of -s, or 0, is that of the first part.
func (p *pv) throughStore(names []string, given int64) {
	name := *p.storeFile
	if name == "-" {
		f, err := os.CreateTemp("", "pv-")
		if err != nil {
			p.fail(pvNoAccess, "%v", err)
			return
		}
		name = f.Name()
		f.Close()
		defer os.Remove(name)
	}
	fd, err := tool.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC, created)
	if err != nil {
		p.fail(pvNoAccess, "%s: %v", name, err)
		return
	}
	defer unix.Close(fd)
	store, err := splice.Describe(fd)
	if err != nil {
		p.fail(pvNoAccess, "%s: %v", name, err)
		return
	}
	out, outName := p.out, p.outName
	p.out, p.outName = store, name
	look := p.look
	p.look.Name, p.look.Named = "(input)", true
	p.move(names, given)
	p.out, p.outName, p.look = out, outName, look
	if p.status != 0 {
		return
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		p.fail(pvNoAccess, "%s: %v", name, err)
		return
	}
	p.size, p.sized, p.stop = stat.Size, stat.Size > 0, false
	if p.look.Lines {
		store.Offset = 0
		p.size = p.linesIn(store)
	}
	p.move([]string{name}, p.size)
}
