package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// defaultBudget is what all buffers of a server may have of memory, in bytes: a
// quarter of what the process may have.
func defaultBudget() int64 {
	budget := int64(1) << 30 // what a small machine has, should the kernel not tell
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		budget = int64(uint64(info.Totalram) * uint64(info.Unit))
	}
	if limit, ok := cgroupLimit("/"); ok {
		budget = min(budget, limit)
	}
	return budget / 4
}

// cgroupLimit is the lowest limit of memory, in bytes, of the control groups that
// this process is in: cgroups(7). root is where /proc and /sys are found.
func cgroupLimit(root string) (lowest int64, found bool) {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		mount, file := "sys/fs/cgroup", "memory.max" // version 2 has no controllers in the second field
		if fields[1] != "" {
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
			if !strings.Contains(","+fields[1]+",", ",memory,") {
				continue
			}
		}
		for group := fields[2]; ; group = filepath.Dir(group) { // a parent's limit holds as well
			value, _ := os.ReadFile(filepath.Join(root, mount, group, file))
			if n, err := strconv.ParseInt(strings.TrimSpace(string(value)), 10, 64); err == nil && (!found || n < lowest) {
				lowest, found = n, true
			}
			if group == "/" || group == "." {
				break
			}
		}
	}
	return lowest, found
}
