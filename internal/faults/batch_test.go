package faults

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// batchCalls are those whose order says whether a batch is safe.
const batchCalls = "openat,linkat,unlinkat,fsync,syncfs,sync_file_range,write,sendfile,copy_file_range,splice,fchmod,fchown,utimensat,fsetxattr,close"

// batchFiles are more than one batch holds when 1,024 descriptors may be open.
const batchFiles = 300

func TestSourcesOfABatchGoAfterTheirCopiesAreOnTheDisk(t *testing.T) {
	testfs.NeedRoot(t)
	needStrace(t)
	disk := testfs.Shared(t, "ext4")
	for _, c := range []struct {
		name       string
		injections []string
		status     int
		staying    int  // sources, at least
		single     bool // each file is synced by itself from the first batch on
	}{
		{name: "nothing fails"},
		{name: "syncfs fails", injections: []string{"syncfs:error=EIO:when=1"}, single: true},
		{name: "syncfs of names fails", injections: []string{"syncfs:error=EIO:when=2"}},
		{name: "syncfs is not there", injections: []string{"syncfs:error=ENOSYS"}, single: true},
		{name: "syncfs is slow", injections: []string{"syncfs:delay_exit=2100000:when=1"}},
		{name: "the disk fails", injections: []string{"syncfs:error=EIO:when=1", "fsync:error=EIO:when=7"}, status: 1, staying: 1, single: true},
		{name: "the disk is full", injections: []string{"syncfs:error=ENOSPC:when=1", "fsync:error=ENOSPC:when=1+"}, status: 1, staying: batchFiles, single: true},
		{name: "directories cannot be synced", injections: []string{"syncfs:error=EIO:when=2", "fsync:error=EIO:when=1+"}, status: 1, staying: batchFiles},
		{name: "files get no blocks", injections: []string{"sync_file_range:error=ENOSPC"}, status: 1, staying: 1},
		{name: "write-back cannot be begun", injections: []string{"sync_file_range:error=ENOSYS"}, single: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			source, log := filepath.Join(dir, "d"), filepath.Join(dir, logName)
			dest, err := os.MkdirTemp(disk, "")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dest)
			if err := os.Mkdir(source, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := range batchFiles {
				if err := os.WriteFile(filepath.Join(source, fmt.Sprint("f", i)), fmt.Append(nil, "contents of ", i), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			words := []string{"-c", `ulimit -n 1024 && exec "$@"`, "sh", "strace", "-f", "-qqq", "-o", log, "-e", "trace=" + batchCalls}
			for _, i := range c.injections {
				words = append(words, "-e", "inject="+i)
			}
			words = append(words, filepath.Join(testbin.Dir(t), "zcp"), "--move", source, dest)
			out, _ := exec.Command("/bin/sh", words...).CombinedOutput()
			left := 0
			for i := range batchFiles {
				name, want := fmt.Sprint("f", i), fmt.Sprint("contents of ", i)
				from, fromErr := os.ReadFile(filepath.Join(source, name))
				to, toErr := os.ReadFile(filepath.Join(dest, "d", name))
				if fromErr == nil {
					left++
				}
				if fromErr == nil && string(from) != want || toErr == nil && string(to) != want || fromErr != nil && toErr != nil {
					t.Errorf("%s: %q, %v, copied %q, %v", name, from, fromErr, to, toErr)
				}
			}
			if left < c.staying || (c.status == 0) != (left == 0) || (c.status == 0) != (len(out) == 0) {
				t.Errorf("%d sources are left; zcp says %s", left, out)
			}
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			checkOrder(t, string(text), c.single)
		})
	}
}

// A batchCall is one call of the log that has returned. begun and ended are line
// numbers.
type batchCall struct {
	name, args, result string
	begun, ended       int
}

var (
	wholeCall   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (.*)$`)
	begunCall   = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	resumedCall = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.*)$`)
)

// batchCallsOf puts the parts of calls together that others came between, in the
// order in which they returned.
func batchCallsOf(log string) (calls []*batchCall) {
	waiting := map[string]*batchCall{}
	for i, line := range strings.Split(log, "\n") {
		if m := wholeCall.FindStringSubmatch(line); m != nil {
			calls = append(calls, &batchCall{m[2], m[3], m[4], i, i})
		} else if m := begunCall.FindStringSubmatch(line); m != nil {
			waiting[m[1]] = &batchCall{name: m[2], args: m[3], begun: i}
		} else if m := resumedCall.FindStringSubmatch(line); m != nil && waiting[m[1]] != nil {
			c := waiting[m[1]]
			c.args, c.result, c.ended = c.args+m[3], m[4], i
			if c.name == "close" { // the number may be used again before it returns
				c.ended = c.begun
			}
			calls = append(calls, c)
		}
	}
	slices.SortStableFunc(calls, func(a, b *batchCall) int { return cmp.Compare(a.ended, b.ended) })
	return calls
}

// A batchCopy is what the log says of one copy.
type batchCopy struct {
	fd      string
	changed int // when its contents or attributes were changed last
	onDisk  int // when its data had been synced since then
	named   int // when it had got its name
	nameOn  int // when that had been synced since then
}

// checkOrder checks of each source that was removed that first the data of its copy,
// then its name was synced.
func checkOrder(t *testing.T, log string, single bool) {
	t.Helper()
	open, named := map[string]*batchCopy{}, map[string]*batchCopy{}
	failed := false // syncfs, or it was slow
	all := func(do func(*batchCopy)) {
		for _, c := range open {
			do(c)
		}
		for _, c := range named {
			do(c)
		}
	}
	for _, call := range batchCallsOf(log) {
		first, _, _ := strings.Cut(call.args, ",")
		good := !strings.HasPrefix(call.result, "-1")
		switch call.name {
		case "openat":
			if good && strings.Contains(call.args, "O_TMPFILE") {
				fd, _, _ := strings.Cut(call.result, " ")
				open[fd] = &batchCopy{fd: fd, changed: call.ended}
			}
		case "linkat":
			from, rest, _ := strings.Cut(call.args, `"/proc/self/fd/`)
			fd, _, _ := strings.Cut(rest, `"`)
			if from != "AT_FDCWD, " || open[fd] == nil || !good {
				t.Fatalf("linkat(%s) = %s", call.args, call.result)
			}
			c := open[fd]
			if c.onDisk == 0 || c.onDisk > call.begun {
				t.Errorf("line %d: a file gets its name before its data is on the disk", call.begun+1)
			}
			c.named = call.ended
			named[lastName(call.args)] = c
		case "close":
			delete(open, first)
		case "syncfs":
			all(func(c *batchCopy) {
				switch {
				case !good:
				case c.named > 0 && c.named < call.begun:
					c.nameOn = call.ended
				case c.named == 0 && c.changed < call.begun:
					c.onDisk = call.ended
				}
			})
			if failed || single && good {
				t.Errorf("line %d: syncfs is called although it had failed", call.begun+1)
			}
			failed = !good || strings.Contains(call.result, "DELAYED")
		case "fsync":
			c := open[first]
			switch {
			case !good:
			case c != nil && c.named == 0 && c.changed < call.begun:
				c.onDisk = call.ended
			case c == nil: // a directory
				all(func(c *batchCopy) {
					if c.named > 0 && c.named < call.begun && c.nameOn == 0 {
						c.nameOn = call.ended
					}
				})
			}
		case "unlinkat":
			c := named[lastName(call.args)]
			switch {
			case strings.Contains(call.args, "AT_REMOVEDIR") || !good:
			case c == nil:
				t.Errorf("line %d: a source is removed that has no copy", call.begun+1)
			case c.nameOn == 0 || c.nameOn > call.begun:
				t.Errorf("line %d: a source is removed before the name of its copy is on the disk", call.begun+1)
			}
		case "sync_file_range":
		default:
			if c := open[first]; c != nil {
				c.changed, c.onDisk = call.ended, 0
			}
		}
	}
}

// lastName is the last of the strings among a call's arguments.
func lastName(args string) string {
	words := strings.Split(args, `"`)
	return words[len(words)-2]
}
