package main

import (
	"os"
	"testing"
	"time"

	"zeroutils/internal/scripttest"
	"zeroutils/internal/testfs"
)

// Where a script says so in $GRACE, zcp waits longer for system calls to return.
func TestMain(m *testing.M) {
	if longer, err := time.ParseDuration(os.Getenv("GRACE")); err == nil {
		grace = longer
	}
	scripttest.Main(m, main, "zcp")
}

// For root $DISK is a directory on a filesystem of 1 MiB.
func TestScripts(t *testing.T) {
	disk := ""
	if os.Geteuid() == 0 {
		disk = testfs.MountSized(t, "tmpfs", 1<<20)
	}
	scripttest.Run(t, "DISK="+disk)
}
