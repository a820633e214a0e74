package testfs

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var magics = map[string]int64{
	"ext4": unix.EXT4_SUPER_MAGIC, "tmpfs": unix.TMPFS_MAGIC, "btrfs": unix.BTRFS_SUPER_MAGIC,
	"xfs": unix.XFS_SUPER_MAGIC, "xfs-noreflink": unix.XFS_SUPER_MAGIC, "overlay": unix.OVERLAYFS_SUPER_MAGIC,
	"fuse": unix.FUSE_SUPER_MAGIC,
}

func TestMountGivesTheKindThatWasAskedFor(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			dir := Mount(t, kind)
			var fs unix.Statfs_t
			if err := unix.Statfs(dir, &fs); err != nil {
				t.Fatal(err)
			}
			if int64(fs.Type) != magics[kind] {
				t.Errorf("filesystem %#x, want %#x", fs.Type, magics[kind])
			}
			if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o644); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReflinkIsHadExactlyWhereItWasAskedFor(t *testing.T) {
	for kind, want := range map[string]bool{"xfs": true, "xfs-noreflink": false} {
		t.Run(kind, func(t *testing.T) {
			dir := Shared(t, kind)
			a, b := create(t, filepath.Join(dir, "a")), create(t, filepath.Join(dir, "b"))
			a.Write(make([]byte, 4096))
			err := unix.IoctlFileClone(int(b.Fd()), int(a.Fd()))
			if got := err == nil; got != want {
				t.Errorf("clone: %v", err)
			}
		})
	}
}

func TestNothingStaysAfterTheTest(t *testing.T) {
	var dir string
	t.Run("inner", func(inner *testing.T) {
		dir = Mount(inner, "ext4")
		create(t, filepath.Join(dir, "still open"))
	})
	if dir == "" {
		Unavailable(t, "no mount was to be had")
	}
	if _, err := os.Stat(filepath.Dir(dir)); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	if mounted(t, dir) {
		t.Error("still mounted")
	}
}

func TestNothingStaysAfterTheProcessIsKilled(t *testing.T) {
	Mount(t, "ext4") // skips where the child would
	child := exec.Command(os.Args[0], "-test.run=^TestMountAndDie$", "-test.v")
	child.Env = append(os.Environ(), "TESTFS_DIE=1")
	out, err := child.CombinedOutput()
	if err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the child ended with %v: %s", err, out)
	}
	_, line, _ := strings.Cut(string(out), "mounted ")
	dir, _, _ := strings.Cut(line, "\n")
	waitFor(t, dir+" to go", func() bool { _, err := os.Stat(filepath.Dir(dir)); return os.IsNotExist(err) })
}

func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for start := time.Now(); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("waited in vain for ", what)
		}
	}
}

// TestMountAndDie is the child of the test above, and nothing without it.
func TestMountAndDie(t *testing.T) {
	if os.Getenv("TESTFS_DIE") == "" {
		return
	}
	os.Stdout.WriteString("mounted " + Mount(t, "ext4") + "\n")
	unix.Kill(os.Getpid(), unix.SIGKILL)
}

func TestSharedMountsOnce(t *testing.T) {
	a, b := Shared(t, "tmpfs"), Shared(t, "tmpfs")
	if a == b || filepath.Dir(a) != filepath.Dir(b) {
		t.Errorf("%s and %s, want two directories of one mount", a, b)
	}
}

func TestSmallFilesystemFillsUp(t *testing.T) {
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			dir := MountSized(t, kind, 4<<20)
			err := os.WriteFile(filepath.Join(dir, "f"), bytes.Repeat([]byte("x"), 5<<20), 0o644)
			if !errors.Is(err, unix.ENOSPC) {
				t.Errorf("writing 5 MiB: %v", err)
			}
		})
	}
}

func create(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func mounted(t *testing.T, dir string) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(table, []byte(dir))
}

// The number may be another process's by then, but not the file.
func TestBlockDeviceIsGoneAfterTheTest(t *testing.T) {
	var backing, file string
	t.Run("inner", func(t *testing.T) {
		path := Block(t, 1<<20)
		if err := os.WriteFile(path, []byte("x"), 0); err != nil {
			t.Error(err)
		}
		backing = filepath.Join("/sys/block", filepath.Base(path), "loop/backing_file")
		file = read(t, backing)
	})
	if file == "" {
		Unavailable(t, "no device was to be had")
	}
	waitFor(t, "the device to let go of its file", func() bool {
		now, _ := os.ReadFile(backing)
		return string(now) != file
	})
}

// No other test changes this one.
func TestSettingIsRestored(t *testing.T) {
	const path = "/proc/sys/fs/inotify/max_queued_events"
	old := read(t, path)
	t.Run("inner", func(t *testing.T) {
		Setting(t, path, "12345")
		if got := read(t, path); got != "12345\n" {
			t.Errorf("%s is %q", path, got)
		}
	})
	if got := read(t, path); got != old {
		t.Errorf("%s is %q, was %q", path, got, old)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
