package testfs

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// restore writes the old value back when its input ends, so also when the
// process that changed it is killed. The lock on descriptor 3 ends with it.
const restore = `cat >/dev/null; printf '%s\n' "$1" >"$2"`

// Setting changes a file below /proc/sys for the duration of a test. Tests of
// other processes that want to change it wait.
func Setting(t testing.TB, path, value string) {
	t.Helper()
	NeedRoot(t)
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		Unavailable(t, err.Error())
	}
	defer file.Close()
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal("lock of ", path, ": ", err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("/bin/sh", "-c", restore, "testfs-setting", strings.TrimSpace(string(old)), path)
	shell.ExtraFiles = []*os.File{file}
	shell.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	life, err := shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		life.Close()
		shell.Wait()
	})
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		Unavailable(t, err.Error())
	}
}
