package testbin

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// A seccomp filter answers system calls in the kernel's place, as a container's
// does. The test binary puts one on itself and then becomes the tool.

// filterVariable holds an errno and the names of calls: "ENOSYS splice tee".
const filterVariable = "ZEROUTILS_TEST_FILTER"

// A refusable call is what filters are known to refuse.
type refusable struct {
	name    string
	number  uint32
	command uint32 // of fcntl(2), its second argument; 0 is any
}

var refusables = []refusable{
	{"splice", unix.SYS_SPLICE, 0},
	{"tee", unix.SYS_TEE, 0},
	{"sendfile", unix.SYS_SENDFILE, 0},
	{"copy_file_range", unix.SYS_COPY_FILE_RANGE, 0},
	{"statx", unix.SYS_STATX, 0},
	{"openat2", unix.SYS_OPENAT2, 0},
	{"renameat2", unix.SYS_RENAMEAT2, 0},
	{"fallocate", unix.SYS_FALLOCATE, 0},
	{"F_SETPIPE_SZ", unix.SYS_FCNTL, unix.F_SETPIPE_SZ},
	{"close_range", unix.SYS_CLOSE_RANGE, 0},
	{"syncfs", unix.SYS_SYNCFS, 0},
}

var refusalErrnos = map[string]unix.Errno{"ENOSYS": unix.ENOSYS, "EPERM": unix.EPERM, "EIO": unix.EIO}

// asAnother is what the test binary is called where it becomes another program:
// under its own name, package testfs would keep descriptors from that.
const asAnother = "filter"

// Filtered has a command run under a filter that refuses calls. The test's TestMain
// has to call [Filter].
func Filtered(cmd *exec.Cmd, errno string, calls ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, filterVariable+"="+errno+" "+strings.Join(calls, " "))
	cmd.Args = append([]string{asAnother, cmd.Path}, cmd.Args...)
	cmd.Path = self
	return nil
}

// Filter does not return in a test binary that [Filtered] has started: its
// arguments are the path of a program and the arguments of that.
func Filter() {
	order := os.Getenv(filterVariable)
	if order == "" {
		return
	}
	runtime.LockOSThread() // the filter is the thread's, which becomes the program
	words := strings.Fields(order)
	err := installFilter(refusalErrnos[words[0]], words[1:])
	if err == nil {
		os.Unsetenv(filterVariable)
		err = unix.Exec(os.Args[1], os.Args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "filter:", err)
	os.Exit(125)
}

// Offsets of struct seccomp_data (seccomp(2)), whose words are little-endian
// on all architectures that the tests run on.
const (
	numberAt  = 0
	commandAt = 16 + 8 // the low half of the second argument
)

func installFilter(errno unix.Errno, calls []string) error {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		answer = unix.BPF_RET | unix.BPF_K
	)
	refuse := unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(errno)}
	var program []unix.SockFilter
	for _, c := range refusables {
		for _, name := range calls {
			if name != c.name {
				continue
			}
			program = append(program, unix.SockFilter{Code: load, K: numberAt})
			if c.command == 0 {
				program = append(program, unix.SockFilter{Code: equal, K: c.number, Jf: 1}, refuse)
				continue
			}
			program = append(program,
				unix.SockFilter{Code: equal, K: c.number, Jf: 3},
				unix.SockFilter{Code: load, K: commandAt},
				unix.SockFilter{Code: equal, K: c.command, Jf: 1},
				refuse)
		}
	}
	program = append(program, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW})
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("PR_SET_NO_NEW_PRIVS: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0); err != nil {
		return fmt.Errorf("PR_SET_SECCOMP: %w", err)
	}
	return nil
}

// NeedFilters ends the test where no filter can be had, or where it does not
// refuse.
func NeedFilters(t testing.TB) {
	t.Helper()
	cmd := exec.Command("/bin/true")
	if err := Filtered(cmd, "ENOSYS", "splice"); err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		testfs.Unavailable(t, fmt.Sprintf("seccomp filters: %v: %s", err, out))
	}
}
