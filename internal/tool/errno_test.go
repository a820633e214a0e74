package tool

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

func TestErrnoTextsAreThoseOfTheCLibrary(t *testing.T) {
	inLocale(t, "C")
	texts := strings.Split(real(t, "perl", "-e", `for (0..140) { $! = $_; print "$!\n" }`).stdout, "\n")
	for errno := unix.Errno(1); errno <= 140; errno++ {
		if got, want := ErrorText(errno), texts[errno]; got != want {
			t.Errorf("errno %d: %q, want %q", int(errno), got, want)
		}
	}
}

func TestErrorTextLeavesOutWhatTheMessageSaysAnyway(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&os.PathError{Op: "open", Path: "x", Err: unix.ENOENT}, "No such file or directory"},
		{&splice.ReadError{Err: unix.EISDIR}, "Is a directory"},
		{&splice.WriteError{Err: unix.ENOSPC}, "No space left on device"},
		{&splice.ReadError{Err: splice.ErrTruncated}, "file truncated while it was read"},
		{&splice.WriteError{Err: splice.ErrNoProgress}, "write returned 0"},
		{fmt.Errorf("while syncing: %w", unix.EIO), "Input/output error"},
		{errors.New("no such rate"), "no such rate"},
		{unix.Errno(0), "Success"},
	} {
		if got := ErrorText(c.err); got != c.want {
			t.Errorf("ErrorText(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestErrorTextOfAMethodThatDoesNotServe(t *testing.T) {
	err := &splice.UnservedError{Method: splice.Reflink, Src: splice.Pipe, Dst: splice.Regular}
	if got, want := ErrorText(err), err.Error(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	plain := ErrorText(err)
	err.Errno = unix.EXDEV
	if got, want := ErrorText(err), plain+": Invalid cross-device link"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
