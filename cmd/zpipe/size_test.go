package main

import (
	"os/exec"
	"testing"

	"zeroutils/internal/testfs"
)

func TestTheSizeOfABlockDeviceIsKnown(t *testing.T) {
	device := testfs.Block(t, 3<<20)
	// dd takes the first mebibyte, so two are left
	const script = `exec <"$1"; dd of=/dev/null bs=1M count=1 2>/dev/null; zpipe -n -i 600 >/dev/null`
	out, err := exec.Command("sh", "-c", script, "sh", device).CombinedOutput()
	if err != nil || string(out) != "100\n" {
		t.Errorf("%v: %q", err, out)
	}
}

func TestTheSizeOfAWatchedBlockDeviceIsKnown(t *testing.T) {
	device := testfs.Block(t, 4<<20)
	const script = `exec 5<"$1"; dd of=/dev/null bs=1M count=1 <&5 2>/dev/null; sleep 600 & watched=$!
		zpipe -d $watched:5 -n -i 0.1 2>&1 | { read percent; echo "$percent"; kill $watched; cat >/dev/null; }`
	out, err := exec.Command("sh", "-c", script, "sh", device).CombinedOutput()
	if err != nil || string(out) != "25\n" {
		t.Errorf("%v: %q", err, out)
	}
}
