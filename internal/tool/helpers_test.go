package tool

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"zeroutils/internal/testfs"

	"golang.org/x/sys/unix"
)

// A result is what a program did.
type result struct {
	status         int
	stdout, stderr string
}

// call executes a command on descriptors of its own, as "prog".
func call(t *testing.T, cmd Command, args ...string) result {
	t.Helper()
	return callWith(t, cmd, func(fd int) bool { return false }, args...)
}

// callWith is call with some descriptors said to have been closed.
func callWith(t *testing.T, cmd Command, closed func(fd int) bool, args ...string) result {
	t.Helper()
	stdin, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := unix.MemfdCreate("stdout", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	errs, err := unix.MemfdCreate("stderr", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := unix.FcntlInt(uintptr(out), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _, _ = unix.Close(stdin), unix.Close(kept), unix.Close(errs) }()

	status := run(cmd, append([]string{"/usr/local/bin/prog"}, args...), stdio{stdin, out, errs, closed})
	return result{status, content(t, kept), content(t, errs)}
}

func content(t *testing.T, fd int) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, st.Size)
	n, err := unix.Pread(fd, buf, 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// real runs a program of this machine in the locale that the test has set.
func real(t *testing.T, name string, args ...string) result {
	t.Helper()
	testfs.Need(t, name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &errs, time.Minute
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// inLocale sets the locale for the test and for the programs that it starts.
func inLocale(t *testing.T, name string) {
	t.Helper()
	t.Setenv("LC_ALL", name)
}

// locales are on every machine that has glibc's locales: ASCII and UTF-8.
var locales = []string{"C", "C.UTF-8"}
