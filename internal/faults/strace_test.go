package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"zeroutils/internal/testfs"
)

// An injection makes strace answer a system call in the kernel's place: nothing
// happens but that the tool is given an errno. The tool sees no other
// difference, but makes the call only where it would without strace, too.
type injection struct {
	call  string
	place string // only calls that concern this source or sink; "" is any
	errno string // "EIO"
	when  string // which calls, by number, as strace has it: "2", "2+"
}

func (i injection) String() string {
	place := ""
	if i.place != "" {
		place = " of " + i.place
	}
	return fmt.Sprintf("%s%s gives %s at %s", i.call, place, i.errno, i.when)
}

// traced are the calls that a log shows.
const traced = "splice,tee,pipe2,copy_file_range,sendfile,read,write,pread64,pwrite64,fcntl,fallocate,fadvise64,fstat"

// logName is in the play's directory.
const logName = "strace.log"

// trace runs the tool under strace. With a place, only calls that concern it
// are logged, counted and failed.
func (p *play) trace(place string, injections ...injection) {
	p.Helper()
	words := []string{"strace", "-f", "--seccomp-bpf", "-y", "-qqq", "-o", filepath.Join(p.dir, logName), "-e", "trace=" + traced}
	if place != "" {
		words = append(words, "-P", place)
	}
	for _, i := range injections {
		words = append(words, "-e", fmt.Sprintf("inject=%s:error=%s:when=%s", i.call, i.errno, i.when))
	}
	p.under(words...)
}

// needStrace ends the test where strace is missing or may not trace.
func needStrace(t testing.TB) {
	t.Helper()
	testfs.Need(t, "strace")
	if err := straceWorks(); err != nil {
		testfs.Unavailable(t, "strace does not work: "+err.Error())
	}
}

var straceWorks = sync.OnceValue(func() error {
	out, err := exec.Command("strace", "-f", "--seccomp-bpf", "-qqq", "-o", os.DevNull, "-e", "trace=splice", "true").CombinedOutput()
	if err != nil || len(out) > 0 {
		return fmt.Errorf("status %v: %s", err, out)
	}
	return nil
})

// A logged call is a line of strace's log that begins one, or ends one that
// others came between.
type logged struct {
	thread, call, line string
	number             int // of this call in this thread, from 1: what when= counts
}

// injected reports whether the errno was strace's.
func (l logged) injected() bool { return strings.HasSuffix(l.line, "(INJECTED)") }

// of reports whether the call concerns what strace -y shows as a place.
func (l logged) of(place string) bool {
	return place == "" || strings.Contains(l.line, "<"+place+">")
}

var (
	opening = regexp.MustCompile(`^(\d+) +(\w+)\(`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>`)
)

// log reads what strace wrote.
func (p *play) log() []logged {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, logName))
	p.must(err)
	var calls []logged
	numbers := map[string]int{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if found := resumed.FindStringSubmatch(line); found != nil {
			for i := len(calls) - 1; i >= 0; i-- {
				if calls[i].thread == found[1] {
					calls[i].line += line
					break
				}
			}
		}
		if found := opening.FindStringSubmatch(line); found != nil {
			key := found[1] + found[2]
			numbers[key]++
			calls = append(calls, logged{found[1], found[2], line, numbers[key]})
		}
	}
	return calls
}
