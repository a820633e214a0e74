package splice_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// Some tests need another process: with other limits, of another user, or one
// that opens a file while this one holds a lease. The test binary is started
// again in a role. Its descriptors from 3 on are those that the test gives it.

// roleVariable names the role in the environment of a child.
const roleVariable = "SPLICE_TEST_ROLE"

var roles = map[string]func(){
	"copy":           copyRole,
	"copy exhausted": exhaustedRole,
	"tee":            teeRole,
	"tee exhausted":  teeExhaustedRole,
	"copy stable":    stableRole,
	"raise":          raiseRole,
	"overwrite":      overwriteRole,
	"measure memory": memoryRole,
}

// userVariable is the number of the user that a child becomes.
const userVariable = "SPLICE_TEST_USER"

func init() {
	role := roles[os.Getenv(roleVariable)]
	if role == nil {
		return
	}
	if user, err := strconv.Atoi(os.Getenv(userVariable)); err == nil {
		become(user)
	}
	role()
	os.Exit(0)
}

// asNobody has a child run as a user without privileges, who is not the one of
// another test process: its pipes would count against the same allowance. The
// child becomes that user by itself, who may not have the right to execute it.
func asNobody(child *exec.Cmd) {
	child.Env = append(child.Env, fmt.Sprint(userVariable, "=", 20_000+os.Getpid()%40_000))
}

func become(user int) {
	err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(user), syscall.Setuid(user),
		unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)) // or /proc/self/fd would be root's
	if err != nil {
		panic(err)
	}
}

// asChild prepares a child. Files given become its descriptors 3, 4 and so on.
func asChild(t *testing.T, role string, files []*os.File, args ...string) *exec.Cmd {
	t.Helper()
	child := exec.Command("/proc/self/exe", args...)
	child.Env = append(os.Environ(), roleVariable+"="+role)
	child.ExtraFiles = files
	child.Stderr = os.Stderr
	return child
}

// An account is a Report as a child prints it.
type account struct {
	Delivered int64
	By        map[string]int64
	Fallbacks []string
	Lease     string
	LeaseErr  string
	Err       string
}

func accountOf(r splice.Report, err error) account {
	a := account{Delivered: r.Delivered, Lease: r.Lease.String(), By: map[string]int64{}}
	for m, n := range r.By {
		if n > 0 {
			a.By[splice.Method(m).String()] = n
		}
	}
	for _, f := range r.Fallbacks {
		a.Fallbacks = append(a.Fallbacks, fmt.Sprintf("%v to %v: %v", f.From, f.To, f.Err))
	}
	if r.LeaseErr != nil {
		a.LeaseErr = r.LeaseErr.Error()
	}
	if err != nil {
		a.Err = err.Error()
	}
	return a
}

// account runs a child that prints one.
func (s *stage) account(child *exec.Cmd) account {
	s.Helper()
	out, err := child.Output()
	for _, f := range child.ExtraFiles {
		f.Close() // or a sink would never end for its reader
	}
	if err != nil {
		s.Fatalf("child: %v: %s", err, out)
	}
	var a account
	if err := json.Unmarshal(out, &a); err != nil {
		s.Fatalf("child: %v: %s", err, out)
	}
	return a
}

func printJSON(v any) {
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		panic(err)
	}
}

func mustDescribe(fd int) *splice.Descriptor {
	d, err := splice.Describe(fd)
	if err != nil {
		panic(err)
	}
	return d
}

// copyRole copies descriptor 3 to descriptor 4.
func copyRole() {
	printJSON(accountOf(splice.New().Copy(mustDescribe(4), mustDescribe(3), splice.Options{})))
}

func stableRole() {
	printJSON(accountOf(splice.New().Copy(mustDescribe(4), mustDescribe(3), splice.Options{Stable: true})))
}

func fields(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
