package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/tool"
)

// watch is -d: it shows how far other processes are in their files.
func (o *pvOptions) watch(inv *tool.Invocation) error {
	var targets []string
	for _, text := range o.watched {
		found, err := expandTarget(text)
		if err != nil {
			inv.Warnf("%s: %v", text, err)
			inv.SetStatus(pvNoAccess)
			return nil
		}
		targets = append(targets, found...)
	}
	if len(targets) == 0 {
		inv.Warnf("-d: no process found")
		inv.SetStatus(pvNoAccess)
		return nil
	}
	for _, text := range targets {
		t, err := parseTarget(text)
		if err != nil {
			inv.Warnf("-d: process ID or pid:fd pair expected")
			inv.SetStatus(pvMisuse)
			return nil
		}
		if !t.lives() {
			inv.Warnf("pid %d: %v", t.pid, unix.ESRCH)
			inv.SetStatus(pvNoAccess)
			return nil
		}
	}
	return watchTargets(inv, targets)
}

// expandTarget finds what an argument of -d stands for: processes by their name
// behind =, the lines of a file behind @, or itself.
func expandTarget(text string) (targets []string, err error) {
	if name, ok := strings.CutPrefix(text, "="); ok {
		return processesCalled(name)
	}
	file, ok := strings.CutPrefix(text, "@")
	if !ok {
		return []string{text}, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if strings.HasPrefix(line, "@") {
			return nil, errors.New("a list may not name a list")
		}
		found, err := expandTarget(line)
		if err != nil {
			return nil, err
		}
		targets = append(targets, found...)
	}
	return targets, nil
}

// processesCalled lists the processes with a name, as pgrep -x does.
func processesCalled(name string) (targets []string, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		comm, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "comm"))
		if err == nil && strings.TrimSuffix(string(comm), "\n") == name {
			targets = append(targets, entry.Name())
		}
	}
	return targets, nil
}
