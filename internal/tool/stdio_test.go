package tool

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/rawio"
)

func TestAClosedDescriptorIsAnErrorToWhoeverUsesIt(t *testing.T) {
	all := func(int) bool { return true }
	callWith(t, prog(func(inv *Invocation) error {
		for name, use := range map[string]func() error{
			"Stdin":      func() error { _, err := inv.Stdin(); return err },
			"Stdout":     func() error { _, err := inv.Stdout(); return err },
			"CloseStdin": inv.CloseStdin,
		} {
			if err := use(); err != unix.EBADF {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	}), all)
}

func TestOnlyTheDescriptorThatWasClosedIsMissed(t *testing.T) {
	for fd := range 3 {
		got := callWith(t, prog(func(inv *Invocation) error {
			_, in := inv.Stdin()
			_, out := inv.Stdout()
			if (in != nil) != (fd == 0) || (out != nil) != (fd == 1) {
				t.Errorf("%d closed: in %v, out %v", fd, in, out)
			}
			return nil
		}), func(asked int) bool { return asked == fd })
		if got != (result{}) {
			t.Errorf("%d closed: %+v", fd, got)
		}
	}
}

func TestTextForAClosedOutputIsAWriteError(t *testing.T) {
	got := callWith(t, prog(func(inv *Invocation) error {
		inv.Printf("text")
		return nil
	}), func(fd int) bool { return fd == 1 })
	if want := (result{1, "", "prog: write error: Bad file descriptor\n"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAToolMayCloseItsOutputItself(t *testing.T) {
	got := call(t, prog(func(inv *Invocation) error {
		fd, err := inv.Stdout()
		if err != nil {
			return err
		}
		return unix.Close(fd)
	}))
	if got != (result{}) {
		t.Errorf("%+v", got)
	}
}

func TestAMessageThatCannotBeWrittenIsAFailure(t *testing.T) {
	got := callWith(t, prog(func(inv *Invocation) error {
		inv.Warnf("nobody hears")
		return nil
	}), func(fd int) bool { return fd == 2 })
	if want := (result{1, "", ""}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTextComesBeforeTheMessagesThatFollowIt(t *testing.T) {
	both, err := unix.MemfdCreate("both", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := unix.FcntlInt(uintptr(both), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(kept) }()
	run(prog(func(inv *Invocation) error {
		inv.Printf("one\n")
		inv.Errorf("two")
		inv.Printf("three\n")
		return nil
	}), []string{"prog"}, stdio{0, both, kept, func(int) bool { return false }})
	if got, want := content(t, kept), "one\nprog: two\nthree\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAFullDeviceIsReportedOnce(t *testing.T) {
	for _, size := range []int{1, 3 * pipeBuf} {
		full, err := unix.Open("/dev/full", unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		errs, err := unix.MemfdCreate("stderr", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		status := run(prog(func(inv *Invocation) error {
			for range size {
				inv.Printf("x")
			}
			return nil
		}), []string{"prog"}, stdio{0, full, errs, func(int) bool { return false }})
		if got, want := content(t, errs), "prog: write error: No space left on device\n"; status != 1 || got != want {
			t.Errorf("status %d, got %q, want %q", status, got, want)
		}
		_ = unix.Close(errs)
	}
}

func TestANonblockingDescriptorIsWaitedFor(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("0123456789", 20000) // three times what a pipe holds
	done := make(chan error, 1)
	go func() {
		done <- rawio.WriteAll(p[1], []byte(want))
		_ = unix.Close(p[1])
	}()
	var got strings.Builder
	buf := make([]byte, 10000)
	for {
		n, err := unix.Read(p[0], buf)
		if err == unix.EAGAIN {
			time.Sleep(time.Millisecond)
			continue
		}
		if n <= 0 {
			break
		}
		got.Write(buf[:n])
	}
	if err := <-done; err != nil || got.String() != want {
		t.Errorf("%v, %d bytes of %d", err, got.Len(), len(want))
	}
	_ = unix.Close(p[0])
}
