package filecopy

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/testfs"
)

// The samples of a large file are far apart, but not those of its end.
func TestBothEndsOfAPartialCopyAreCompared(t *testing.T) {
	const size = 40 << 20
	dir := testfs.Shared(t, "ext4")
	data := random(size)
	write(t, filepath.Join(dir, "src"), string(data)+"more")
	r := newRun(t, Options{Safety: Safety{Resume: true}})
	src := opened(t, filepath.Join(dir, "src"), unix.O_RDONLY)
	unseen := sample + 1
	for _, at := range []int{-1, 0, sample - 1, unseen, size - sampledEnd, size - 1} {
		if at >= 0 {
			data[at]++
		}
		write(t, filepath.Join(dir, "dst"), string(data))
		if at >= 0 {
			data[at]--
		}
		dst := opened(t, filepath.Join(dir, "dst"), unix.O_RDWR)
		r.mark(dst, src)
		why, p := r.noBeginning(dst, src)
		if p != nil || (why == "") != (at < 0 || at == unseen) {
			t.Errorf("with another byte at %d: %q, %v", at, why, p)
		}
	}
}

// What has come to the source's name may be older than the partial copy.
func TestAPartialCopyOfAnotherSourceIsComparedEntirely(t *testing.T) {
	const size = 4 << 20
	old := unix.NsecToTimespec(1e18)
	for name, replace := range map[string]func(src string){
		"copied over": func(src string) {
			write(t, src, text(t, "other"))
		},
		"renamed over": func(src string) {
			if err := unix.Rename("other", src); err != nil {
				t.Fatal(err)
			}
		},
		"behind a link": func(src string) {
			if err := unix.Rename("link", src); err != nil {
				t.Fatal(err)
			}
		},
		"not marked": func(src string) {
			if err := unix.Removexattr("dst", markName); err != nil {
				t.Fatal(err)
			}
			write(t, src, text(t, "other"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(testfs.Shared(t, "ext4"))
			data := random(size)
			write(t, "src", string(data))
			data[sample+1]++ // between two samples
			write(t, "other", string(data))
			link := "other"
			if err := unix.Symlink(link, "link"); err != nil {
				t.Fatal(err)
			}
			data[sample+1]--
			write(t, "dst", string(data[:size/2]))
			r := newRun(t, Options{Safety: Safety{Resume: true}})
			r.mark(opened(t, "dst", unix.O_RDWR), opened(t, "src", unix.O_RDONLY))
			if !hasMark(opened(t, "dst", unix.O_RDONLY)) {
				t.Fatal("no mark")
			}
			replace("src")
			for _, name := range []string{"src", "other"} {
				_ = unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{old, old}, 0) // what was renamed is gone
			}
			want := text(t, "src")
			r.To("dst", "src", false)
			r.only(t, StartedOver, nil)
			if text(t, "dst") != want {
				t.Error("the copy has some of the old source")
			}
			if hasMark(opened(t, "dst", unix.O_RDONLY)) {
				t.Error("the complete copy is marked as partial")
			}
		})
	}
}

func TestAnInterruptedCopyKnowsItsSource(t *testing.T) {
	t.Chdir(testfs.Shared(t, "ext4"))
	data := random(8 << 20)
	write(t, "src", string(data))
	r := newRun(t, Options{Safety: Safety{Resume: true}})
	e := &entry{src: place.Path("src"), dst: place.Path("dst"), stat: *stat(t, "src"), fd: -1}
	r.progress = func(int64) error { return errStopped }
	if p := r.copyRegular(e); p == nil || p.What != Interrupted {
		t.Fatal(p)
	}
	unix.Close(e.fd)
	src, dst := opened(t, "src", unix.O_RDONLY), opened(t, "dst", unix.O_RDWR)
	if !marked(dst, src) || dst.stat.Size == 0 {
		t.Errorf("%d bytes, marked: %v", dst.stat.Size, hasMark(dst))
	}
	again := newRun(t, Options{Safety: Safety{Resume: true}})
	again.To("dst", "src", false)
	again.clean(t)
	if text(t, "dst") != string(data) || hasMark(dst) {
		t.Errorf("the copy is another one, or marked: %v", hasMark(dst))
	}
}
