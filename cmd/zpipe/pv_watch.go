package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
	"zeroutils/internal/tool"
)

// A pvWatch is -d: it shows how far other processes are in their files.
type pvWatch struct {
	pvOptions
	inv     *tool.Invocation
	watch   watch
	line    meter.Format
	named   meter.Format // of a file among others
	display *meter.Display
}

// watchFiles is -d.
func (o *pvOptions) watchFiles(inv *tool.Invocation) error {
	p := &pvWatch{pvOptions: *o, inv: inv}
	p.watch.adopt = p.adopt
	found, status, err := p.targets()
	if err != nil {
		inv.Warnf("%v", err)
		inv.SetStatus(status)
	}
	if err != nil || len(found) == 0 {
		return nil
	}
	for _, t := range found {
		if err := p.watch.begin(t); err != nil {
			if err == unix.EBADF {
				err = unix.ENOENT // as pv, which opens its name in /proc
			}
			inv.Warnf("%v", pvTargetError{t, err})
			inv.SetStatus(pvNoAccess)
			return nil
		}
	}
	p.watch.targets = found
	p.show()
	p.watch.toTheEnd()
	p.end()
	return nil
}

// A pvTargetError says why something cannot be watched.
type pvTargetError struct {
	target target
	err    error
}

func (e pvTargetError) Error() string {
	if e.target.fd < 0 {
		return fmt.Sprintf("pid %d: %v", e.target.pid, tool.ErrorText(e.err))
	}
	return fmt.Sprintf("pid %d: fd %d: %v", e.target.pid, e.target.fd, tool.ErrorText(e.err))
}

// targets reads what is to be watched. The error goes with an exit status.
func (p *pvWatch) targets() (found []target, status int, err error) {
	for i, text := range p.watched {
		asked := "-d"
		if i >= len(p.watched)-len(p.inv.Operands) {
			asked = text
		}
		more, err := expandTarget(text, asked)
		if err != nil {
			return nil, pvMisuse, err
		}
		found = append(found, more...)
	}
	for _, t := range found {
		if !t.lives() {
			return nil, pvNoAccess, pvTargetError{target{t.pid, -1}, unix.ESRCH}
		}
	}
	return found, 0, nil
}

// expandTarget finds what an argument of -d stands for: processes by their name
// behind =, the lines of a file behind @, or itself. Errors begin with asked.
func expandTarget(text, asked string) (found []target, err error) {
	switch text {
	case "=":
		return nil, errors.New("-d =: missing process name")
	case "@":
		return nil, errors.New("-d @: missing filename")
	}
	if name, ok := strings.CutPrefix(text, "="); ok {
		return processesCalled(name)
	}
	file, ok := strings.CutPrefix(text, "@")
	if !ok {
		t, err := parsePVTarget(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", asked, err)
		}
		return []target{t}, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-d @: %s: %s", file, tool.ErrorText(err))
	}
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		switch name, byName := strings.CutPrefix(line, "="); {
		case line == "":
		case byName:
			more, err := processesCalled(name)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		default:
			t, err := parsePVTarget(line)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %s: %w", file, i+1, line, err)
			}
			found = append(found, t)
		}
	}
	return found, nil
}

// parsePVTarget reads PID or PID:FD. What pv takes as a name behind it, after =
// or a blank, is shown nowhere.
func parsePVTarget(text string) (target, error) {
	text, _, _ = strings.Cut(text, "=")
	text, _, _ = strings.Cut(text, " ")
	t, err := parseTarget(text)
	switch {
	case err == nil:
		return t, nil
	case text != "" && strings.Trim(text, "0") == "":
		return t, errors.New("invalid process ID")
	}
	return t, errors.New("process ID or pid:fd pair expected")
}

// processesCalled lists the processes with a name, as pgrep -x does.
func processesCalled(name string) (found []target, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		comm, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "comm"))
		if err == nil && strings.TrimSuffix(string(comm), "\n") == name {
			found = append(found, target{pid, -1})
		}
	}
	return found, nil
}
