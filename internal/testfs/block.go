package testfs

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Block returns the path of a block device of the given size, a loop device,
// until the test has ended. The kernel removes the device with the descriptor
// that is held here (losetup -d of a device in use detaches it at its last
// close), so nothing stays of a killed process.
func Block(t testing.TB, bytes int64) string {
	t.Helper()
	NeedRoot(t)
	losetup := Need(t, "losetup")
	image, err := os.CreateTemp("", prefix+"*.image")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(image.Name()) // the device holds the file
	defer image.Close()
	if err := image.Truncate(bytes); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(losetup, "--find", "--show", image.Name()).CombinedOutput()
	if err != nil {
		Unavailable(t, "losetup: "+string(out))
	}
	path := strings.TrimSpace(string(out))
	device, openErr := os.OpenFile(path, os.O_RDWR, 0)
	out, err = exec.Command(losetup, "--detach", path).CombinedOutput()
	if openErr != nil || err != nil {
		t.Fatalf("open: %v; losetup --detach: %v: %s", openErr, err, out)
	}
	t.Cleanup(func() { device.Close() })
	return path
}
