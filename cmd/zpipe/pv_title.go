package main

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
)

// extra shows what -x asks for: it sets the title of the process, and returns the
// escape sequence that sets the window's, OSC 2. Without a format of their own,
// titles say what rows has drawn last.
func (p *pv) extra(f meter.Frame) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.windowTitle && !p.processTitle {
		return ""
	}
	line := p.line
	if p.titleFormat != nil {
		line = meter.ParseFormat(*p.titleFormat, p.look)
	}
	title := line.Line(p.state, p.seen, f.Width)
	if p.processTitle && p.own != nil {
		_ = p.own.set(p.inv.Name + " -- " + title) // it could be set before
	}
	if !p.windowTitle {
		return ""
	}
	return "\x1b]2;" + title + "\x1b\\"
}

// A processTitle is memory that ps(1) and /proc/PID/cmdline show instead of the
// arguments that the process was started with. These stay as they are: strings of
// the program lie in them.
type processTitle struct {
	memory []byte
	fields memoryMap
}

// memoryMap is struct prctl_mm_map of linux/prctl.h.
type memoryMap struct {
	startCode, endCode, startData, endData uint64
	startBreak, breakAt, startStack        uint64
	argStart, argEnd, envStart, envEnd     uint64
	auxv                                   uintptr
	auxvSize                               uint32 // 0 leaves auxv as it is
	exe                                    uint32 // a descriptor
}

// keepExe leaves the link /proc/PID/exe as it is.
const keepExe = ^uint32(0)

// longestTitle bounds a title, in bytes.
const longestTitle = 64 << 10

// beginTitle prepares the title of the process, or says why there is none.
func (p *pv) beginTitle() {
	own, err := newProcessTitle()
	if err != nil {
		p.inv.Warnf("the title of the process cannot be set: %v", err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own = own
}

// newProcessTitle prepares a title. The error is that of prctl(2), PR_SET_MM_MAP,
// which needs Linux 3.18 with checkpoint and restore, but no privilege.
func newProcessTitle() (*processTitle, error) {
	fields, err := ownMemoryMap()
	if err != nil {
		return nil, err
	}
	memory, err := unix.Mmap(-1, 0, longestTitle, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err
	}
	t := &processTitle{memory, fields}
	return t, t.set(strings.Join(os.Args, " "))
}

// set shows a title. A reader may see a mixture of two.
func (t *processTitle) set(title string) error {
	n := copy(t.memory[:longestTitle-1], title)
	t.memory[n] = 0
	t.fields.argStart = uint64(uintptr(unsafe.Pointer(&t.memory[0])))
	t.fields.argEnd = t.fields.argStart + uint64(n) + 1
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_MM, unix.PR_SET_MM_MAP,
		uintptr(unsafe.Pointer(&t.fields)), unsafe.Sizeof(t.fields), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// ownMemoryMap reads the addresses that are to stay from proc_pid_stat(5).
func ownMemoryMap() (m memoryMap, err error) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return m, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])) // the first is number 3
	for _, f := range []struct {
		number int
		to     *uint64
	}{
		{26, &m.startCode}, {27, &m.endCode}, {28, &m.startStack}, {45, &m.startData}, {46, &m.endData},
		{47, &m.startBreak}, {50, &m.envStart}, {51, &m.envEnd},
	} {
		if f.number-3 >= len(fields) {
			return m, errors.New("/proc/self/stat is too short")
		}
		if *f.to, err = strconv.ParseUint(fields[f.number-3], 10, 64); err != nil {
			return m, err
		}
	}
	at, _, _ := unix.RawSyscall(unix.SYS_BRK, 0, 0, 0)
	m.breakAt, m.exe = uint64(at), keepExe
	return m, nil
}
