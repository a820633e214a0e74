package testfs

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A Feature is something that not every kernel has. A test that needs it is
// skipped where the running kernel lacks it, also under CI=true. This file
// lists all features: nothing else may be skipped there.
type Feature struct {
	name string
	has  func() bool
}

// The features that tests ask for.
var (
	Cachestat = Feature{"cachestat(2), Linux 6.5", hasCachestat}
	NoSELinux = Feature{"files without SELinux labels", func() bool { return missing("/sys/fs/selinux/enforce") }}
)

// filesystems are the features that the kinds of Mount need, by their names in
// /proc/filesystems.
var filesystems = map[string]string{
	"ext4": "ext4", "xfs": "xfs", "xfs-noreflink": "xfs", "btrfs": "btrfs", "tmpfs": "tmpfs", "overlay": "overlay", "fuse": "fuse",
}

const lacks = "the kernel lacks "

// NeedKernel skips a test where the running kernel lacks a feature.
func NeedKernel(t testing.TB, f Feature) {
	t.Helper()
	if reason := f.Lacking(); reason != "" {
		t.Skip(reason)
	}
}

// Lacking says that the running kernel lacks the feature; "" if it has it.
func (f Feature) Lacking() string {
	if f.has() {
		return ""
	}
	return lacks + f.name
}

// KernelLacks reports whether that is the reason why a test was skipped.
func KernelLacks(reason string) bool { return strings.HasPrefix(reason, lacks) }

// filesystem is the feature of a kind. It is asked for after a mount has
// failed, which loads a module where there is one.
func filesystem(kind string) Feature {
	name := filesystems[kind]
	return Feature{"the filesystem " + name, func() bool {
		known, err := os.ReadFile("/proc/filesystems")
		return err != nil || strings.Contains(string(known), "\t"+name+"\n")
	}}
}

func hasCachestat() bool {
	var c unix.Cachestat_t
	return unix.Cachestat(^uint(0), &unix.CachestatRange{}, &c, 0) != unix.ENOSYS
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return os.IsNotExist(err)
}
