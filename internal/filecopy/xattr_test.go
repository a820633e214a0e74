package filecopy

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

func TestNewFilesGetTheLabelAndNotTheSources(t *testing.T) {
	testfs.NeedRoot(t)
	dir := testfs.Shared(t, "tmpfs")
	src := mkdir(t, dir, "src")
	write(t, filepath.Join(src, "f"), "x")
	if err := unix.Setxattr(filepath.Join(src, "f"), selinux, []byte("old"), 0); err != nil {
		t.Fatal(err)
	}
	o := recursive()
	o.Preserve, o.Label = Xattrs, "new"
	r := newRun(t, o)
	r.To(filepath.Join(dir, "dst"), src, false)
	r.clean(t)
	for _, name := range []string{"dst", "dst/f"} {
		h := attr.Named(place.Path(filepath.Join(dir, name)))
		if got, err := h.Getxattr(selinux, attr.UsualXattr); err != nil || string(got) != "new" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}

	o.Label, o.Preserve = "", Context
	r = newRun(t, o)
	r.To(filepath.Join(dir, "kept"), src, false)
	r.clean(t)
	h := attr.Named(place.Path(filepath.Join(dir, "kept/f")))
	if got, err := h.Getxattr(selinux, attr.UsualXattr); err != nil || string(got) != "old" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSizesOfAttributesAreFoundOut(t *testing.T) {
	for _, size := range []int{0, 1, attr.UsualXattr, attr.UsualXattr + 1, attr.LongestXattr} {
		value := strings.Repeat("x", size)
		got, err := attr.Sized(attr.UsualXattr, func(buf []byte) (int, error) {
			if len(buf) < size {
				return -1, unix.ERANGE
			}
			return copy(buf, value), nil
		})
		if err != nil || string(got) != value {
			t.Errorf("%d bytes of %d, %v", len(got), size, err)
		}
	}
	always := func([]byte) (int, error) { return -1, unix.ERANGE }
	if _, err := attr.Sized(1, always); err != unix.ERANGE {
		t.Errorf("what never fits: %v", err)
	}
}
