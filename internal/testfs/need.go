package testfs

import (
	_ "embed"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// packages is the list of Debian packages that scripts/test.sh installs.
//
//go:embed packages.txt
var packages string

// Need returns the path of a program that the test cannot do without.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Unavailable(t, Missing(program))
	}
	return path
}

// Missing says that a program is missing, and which Debian package has it.
func Missing(program string) string {
	for line := range strings.Lines(packages) {
		words := strings.Fields(line)
		if len(words) > 1 && slices.Contains(strings.Split(words[1], ","), program) && words[0] != program {
			return program + " is missing (package " + words[0] + ")"
		}
	}
	return program + " is missing"
}

// NeedRoot is for tests of what only root can set up.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Unavailable(t, NotRoot)
	}
}

// NotOnFUSE skips a test where temporary files are on FUSE, which knows no
// O_TMPFILE, no paths longer than PATH_MAX, offloads copies and reads anew what
// it had in its page cache.
func NotOnFUSE(t testing.TB) {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(os.TempDir(), &fs); err != nil {
		t.Fatal(err)
	}
	if uint32(fs.Type) == unix.FUSE_SUPER_MAGIC {
		Unavailable(t, "the temporary directory is on FUSE")
	}
}

// NoPipeAllowance is why tests are skipped whose pipes have to be large.
const NoPipeAllowance = "the user's allowance for pipes is used up"

// HasPipeAllowance reports whether this user may still have large pipes: an
// ordinary user's pipes may hold 64 MiB together (pipe(7)).
func HasPipeAllowance() bool {
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC) != nil {
		return false
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	_, err := unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, 1<<20)
	return err == nil
}

// NeedPipeAllowance skips a test where large pipes are not to be had.
func NeedPipeAllowance(t testing.TB) {
	t.Helper()
	if !HasPipeAllowance() {
		Unavailable(t, NoPipeAllowance)
	}
}

// NotRoot is why tests are skipped for an ordinary user.
const NotRoot = "not root"

// Unavailable ends a test that lacks something: it is skipped, or under CI=true
// failed, for the given reason.
func Unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("cannot be skipped under CI=true: ", reason)
	}
	t.Skip(reason)
}
