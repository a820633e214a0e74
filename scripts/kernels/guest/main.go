// Command guest is the first process of a virtual machine. It mounts what a
// system has, runs tests or a command, and tells the outside what came out: a
// line of JSON for each thing that it tried, on the second serial line.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// An order is what the outside wants, in /kernels.json.
type order struct {
	Tests   []string
	Command string
	All     bool
	List    bool
	Modules map[string][]string
}

// A test is a name and what it does. Those that are brief run without --all.
type test struct {
	name  string
	brief bool
	run   func(*try)
}

func tests() []test {
	var all []test
	for _, f := range filesystems {
		for _, s := range studies {
			all = append(all, test{"fs/" + f.name + "/" + s.name, f.brief, func(t *try) { t.study(f, s) }})
		}
	}
	all = append(all,
		test{"streams", true, (*try).streams},
		test{"memory", false, (*try).memory},
		test{"network", true, (*try).network},
	)
	for _, p := range packages {
		all = append(all, test{"package/" + p, false, func(t *try) { t.pack(p) }})
	}
	return all
}

func main() {
	if os.Getpid() != 1 {
		if len(os.Args) > 1 && os.Args[1] == "tests" {
			os.Exit(runTests())
		}
		fmt.Fprintln(os.Stderr, "guest is the first process of a virtual machine")
		os.Exit(1)
	}
	child, err := os.StartProcess("/init", []string{"/init", "tests"}, &os.ProcAttr{
		Env:   []string{"PATH=/tools:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TMPDIR=/tmp", "LC_ALL=C.UTF-8", "TERM=dumb"},
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Println("guest:", err)
	}
	for err == nil { // whatever loses its parent is this process's child
		var pid int
		if pid, err = unix.Wait4(-1, nil, 0, nil); err == unix.EINTR {
			err = nil
		}
		if child != nil && pid == child.Pid {
			break
		}
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

// runTests returns the exit status.
func runTests() int {
	if err := setUp(); err != nil {
		fmt.Println("guest:", err)
		return 1
	}
	t, err := newTry()
	if err != nil {
		fmt.Println("guest:", err)
		return 1
	}
	var name unix.Utsname
	unix.Uname(&name)
	t.say(map[string]any{"Kernel": unix.ByteSliceToString(name.Release[:])})
	status := 0
	switch {
	case t.order.List:
		for _, test := range tests() {
			fmt.Println(test.name)
		}
	case t.order.Command != "":
		status = t.command()
	default:
		for i, test := range tests() {
			if t.order.selects(test) {
				t.name, t.place = test.name, i
				t.one(test)
			}
		}
	}
	t.say(map[string]any{"Done": true, "Status": status})
	return status
}

func (o *order) selects(what test) bool {
	if len(o.Tests) == 0 {
		return o.All || what.brief
	}
	return slices.ContainsFunc(o.Tests, func(name string) bool {
		return name == what.name || strings.HasPrefix(what.name, name+"/")
	})
}

// command runs what stands on the command line, and returns its status.
func (t *try) command() int {
	cmd := exec.Command("/bin/sh", "-c", t.order.Command)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		fmt.Println("guest:", err)
		return 127
	}
	return cmd.ProcessState.ExitCode()
}

func readOrder() (o order, err error) {
	text, err := os.ReadFile("/kernels.json")
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	return o, err
}
