package main

import (
	"os/exec"
	"strings"
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

func TestABlockDeviceIsFullAtItsSize(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"more than fits is an error", `zpipe -n -i 600 </dev/zero - "$1"; echo $?`, "zpipe: DEVICE: the device is full after 3145728 bytes\n100\n1\n"},
		{"standard output", `exec 3>&1; zpipe </dev/zero 1<>"$1"; echo $? >&3`, "zpipe: write error: the device is full after 3145728 bytes\n1\n"},
		{"-S stops there", `zpipe -S </dev/zero - "$1"; echo $?`, "0\n"},
		{"what fits", `head -c 3M </dev/zero | zpipe -n -i 600 - "$1"; echo $?`, "100\n0\n"},
		{"-S with less", `head -c 1000 </dev/zero | zpipe -S - "$1"; echo $?`, "0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			device := testfs.Block(t, 3<<20)
			cmd := exec.Command("sh", "-c", "exec 2>&1; "+c.script, "sh", device)
			cmd.Env = append(cmd.Environ(), "LC_ALL=C")
			out, err := cmd.CombinedOutput()
			if got := strings.ReplaceAll(string(out), device, "DEVICE"); err != nil || got != c.want {
				t.Errorf("%v: %q, want %q", err, got, c.want)
			}
		})
	}
}
