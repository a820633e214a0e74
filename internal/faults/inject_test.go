package faults

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"zeroutils/internal/testfs"
)

// texts are the C library's (glibc, sysdeps/gnu/errlist.h).
var texts = map[string]string{
	"EACCES":     "Permission denied",
	"EAGAIN":     "Resource temporarily unavailable",
	"EBADF":      "Bad file descriptor",
	"EDQUOT":     "Disk quota exceeded",
	"EFBIG":      "File too large",
	"EINTR":      "Interrupted system call",
	"EINVAL":     "Invalid argument",
	"EIO":        "Input/output error",
	"EMFILE":     "Too many open files",
	"ENFILE":     "Too many open files in system",
	"ENODEV":     "No such device",
	"ENOMEM":     "Cannot allocate memory",
	"ENOSPC":     "No space left on device",
	"ENOSYS":     "Function not implemented",
	"EOPNOTSUPP": "Operation not supported",
	"EPERM":      "Operation not permitted",
	"EPIPE":      "Broken pipe",
	"EXDEV":      "Invalid cross-device link",
}

// A fault is a system call that can fail, on one side of a copy.
type fault struct {
	call  string
	only  string // what the call must say in the log besides
	side  side
	heals string // errnos that a user must not notice
	harms string // errnos that must be reported
	rare  bool   // the call is made in one scene only
}

type side string

const (
	in      side = "source"
	out     side = "sink"
	neither side = "" // a call on descriptors of the tool's own
)

// passing are errnos of a call that is simply to be made again.
const passing = "EINTR EAGAIN "

// refusals are errnos after which there is another way.
const refusals = "EINVAL ENOSYS EPERM EBADF ENOMEM EACCES EOPNOTSUPP "

var faults = []fault{
	{call: "splice", side: in, heals: passing + refusals, harms: "EIO"},
	{call: "splice", side: out, heals: passing + refusals + "EIO", harms: "ENOSPC EDQUOT EPIPE"},
	{call: "tee", side: out, heals: passing + refusals + "EIO", harms: "EPIPE"},
	{call: "tee", heals: "EINTR " + refusals},
	{call: "pipe2", heals: "EMFILE ENFILE ENOMEM ENOSYS EPERM EINVAL"},
	{call: "fcntl", only: "F_SETPIPE_SZ", heals: "EPERM EBUSY EINVAL ENOMEM"},
	{call: "copy_file_range", side: out, heals: "EINTR EIO EXDEV " + refusals, harms: "ENOSPC EDQUOT"},
	{call: "sendfile", heals: passing + "EIO " + refusals, harms: "ENOSPC"},
	{call: "fadvise64", side: in, heals: "EINTR EIO EINVAL ENOSYS EPERM EBADF"},
	{call: "read", side: in, heals: passing, harms: "EIO EINVAL EBADF ENOMEM EPERM ENOSYS"},
	{call: "write", side: out, heals: passing, harms: "EIO ENOSPC EDQUOT EFBIG EPIPE EINVAL EBADF ENOMEM EPERM"},
	{call: "pread64", side: in, heals: "EINTR", harms: "EIO", rare: true},
	{call: "pwrite64", side: out, heals: "EINTR", harms: "EIO ENOSPC", rare: true},
	{call: "fstat", side: in, heals: "EINTR", harms: "EIO EBADF ENOMEM"},
	{call: "fstat", side: out, heals: "EINTR", harms: "EIO EBADF ENOMEM"},
}

var (
	fromPipe  = []source{{"-", big}}
	toPipe    = []sink{{kind: pipe}}
	toFile    = []sink{{kind: file, name: "out"}}
	toAppend  = []sink{{kind: appends, name: "log"}}
	fromFile  = []source{{"in", big}}
	fromStdin = []source{{"<in", big}}
)

var scenes = []scene{
	{name: "zcat from a file to a pipe", tool: "zcat", sources: fromFile, sinks: toPipe},
	{name: "zcat from a pipe to a pipe", tool: "zcat", sources: fromPipe, sinks: toPipe},
	{name: "zcat from a pipe to a file", tool: "zcat", sources: fromPipe, sinks: toFile},
	{name: "zcat from a file to a file", tool: "zcat", sources: fromFile, sinks: toFile},
	{name: "zcat of several files", tool: "zcat", sources: []source{{"a", big}, {"small", 700}, {"-", big}, {"empty", 0}}, sinks: toPipe},
	{name: "zcat to the end of a file", tool: "zcat", sources: fromFile, sinks: toAppend},
	{name: "zcat of a small file", tool: "zcat", sources: []source{{"in", 700}}, sinks: toFile},
	{name: "zcat by read and write", tool: "zcat", options: []string{"--method=readwrite"}, sources: fromPipe, sinks: toPipe},
	{name: "zcat that shows tabs", tool: "zcat", options: []string{showTabs}, sources: []source{{"in", big}, {"-", 400_000}}, sinks: toPipe},
	{name: "ztee to a file and a pipe", tool: "ztee", sources: fromPipe, sinks: append(toPipe, sink{file, "a"})},
	{name: "ztee to two files and two pipes", tool: "ztee", sources: fromPipe, sinks: []sink{{pipe, ""}, {file, "a"}, {pipe, ""}, {file, "b"}}},
	{name: "ztee to the end of a file", tool: "ztee", options: []string{"--append"}, sources: fromPipe, sinks: []sink{{null, ""}, {appends, "a"}, {file, "b"}}},
	{name: "ztee from a file", tool: "ztee", sources: fromStdin, sinks: []sink{{file, "a"}, {pipe, ""}}},
	{name: "zpipe from a pipe to a pipe", tool: "zpipe", sources: fromPipe, sinks: toPipe},
	{name: "zpipe through a buffer", tool: "zpipe", options: []string{"--buffer=16M"}, sources: fromPipe, sinks: toFile},
	{name: "zpipe with a limit and a display", tool: "zpipe", options: []string{"-L", "4G", "-S", "-s", "100M", "-fpr", "-D", "100"}, sources: fromPipe, sinks: toPipe},
	{name: "zpipe from a file to a file", tool: "zpipe", sources: fromStdin, sinks: toFile},
}

func TestOneFailingCallIsHealedOrReported(t *testing.T) {
	needStrace(t)
	var used usage
	t.Cleanup(func() {
		if used.scenes == len(scenes)+3 { // none was skipped, or left out by -run
			used.check(t)
		}
	})
	for i, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.failEverywhere(t, &used, i, t.TempDir)
		})
	}
	t.Run("copy_file_range is used where the filesystem has its own", func(t *testing.T) {
		t.Parallel()
		s := scene{tool: "zcat", sources: fromFile, sinks: toFile}
		s.failEverywhere(t, &used, 0, func() string { return testfs.Shared(t, "xfs-noreflink") })
	})
	t.Run("direct copies go past the page cache", func(t *testing.T) {
		t.Parallel()
		s := scene{tool: "zcat", options: []string{"--method=direct"}, sources: fromFile, sinks: toFile}
		s.failEverywhere(t, &used, 0, func() string { return testfs.Shared(t, "ext4") })
	})
	t.Run("sendfile serves where no pipe is to be had", func(t *testing.T) {
		t.Parallel()
		s := scene{tool: "zcat", sources: fromFile, sinks: toPipe}
		s.failEverywhere(t, &used, 0, t.TempDir, injection{call: "pipe2", errno: "ENFILE", when: "1+"})
	})
}

// Of the tools only zcp preallocates. What is wrong with the disk, writing says.
func TestPreallocationThatFailsIsNoError(t *testing.T) {
	needStrace(t)
	s := scene{tool: "zcp", sources: fromFile, sinks: []sink{{null, ""}}}
	for _, errno := range strings.Fields("EINTR EIO ENOSPC EDQUOT " + refusals) {
		p := s.setUp(t, testfs.Shared(t, "ext4"))
		p.cmd.Args = append(p.cmd.Args, "out")
		p.trace("", injection{call: "fallocate", errno: errno, when: "1+"})
		o := p.run()
		o.succeeded()
		if !slices.ContainsFunc(o.log(), logged.injected) {
			t.Error("fallocate was not called")
		}
		if got, err := os.ReadFile(filepath.Join(p.dir, "out")); err != nil || !begins(got, s.parts()) || len(got) != big {
			t.Errorf("%s: %v, %s", errno, err, difference(got, s.parts()))
		}
	}
}

// usage counts how often each fault was a fact.
type usage struct {
	sync.Mutex
	scenes   int // run to their end
	injected map[string]int
}

func (u *usage) add(f fault) {
	u.Lock()
	defer u.Unlock()
	if u.injected == nil {
		u.injected = map[string]int{}
	}
	u.injected[f.name()]++
}

func (u *usage) endOfScene() {
	u.Lock()
	defer u.Unlock()
	u.scenes++
}

func (u *usage) check(t *testing.T) {
	for _, f := range faults {
		if u.injected[f.name()] == 0 {
			t.Errorf("%s was never injected", f.name())
		}
	}
	t.Log("injected: ", u.injected)
}

func (f fault) name() string { return strings.TrimSpace(f.call + " " + string(f.side)) }

// failEverywhere runs the scene once as it is, to see what there is to fail,
// and then with each fault of each source and sink.
func (s scene) failEverywhere(t *testing.T, used *usage, turn int, dir func() string, always ...injection) {
	calm := s.setUp(t, dir())
	calm.trace("", always...)
	o := calm.run()
	o.succeeded()
	log := o.log()
	for _, f := range faults {
		for k, place := range s.placesOn(f.side) {
			calls := slices.DeleteFunc(slices.Clone(log), func(l logged) bool {
				return l.injected() || l.call != f.call || !strings.Contains(l.line, f.only) || !l.of(calm.places[place])
			})
			for _, i := range f.injections(place, calls, &turn) {
				t.Run(i.String(), func(t *testing.T) {
					s.setUp(t, dir()).fail(f, k, append(always, i), used)
				})
			}
		}
	}
	used.endOfScene()
}

// injections are what may happen to the calls of a fault that concern a place.
// Unless it is to take long, every second errno happens at one of the
// moments, with -short every 16th, but all if the call is rare.
func (f fault) injections(place string, calls []logged, turn *int) (all []injection) {
	if len(calls) == 0 {
		return nil
	}
	for _, errno := range strings.Fields(f.heals + " " + f.harms) {
		moments := f.moments(calls, errno)
		*turn++
		switch {
		case long || f.rare:
		case *turn%2 == 0, testing.Short() && *turn%16 > 1:
			moments = nil // it comes in other scenes, or on the other side
		default:
			moments = moments[*turn/2%len(moments):][:1]
		}
		for _, when := range moments {
			all = append(all, injection{f.call, place, errno, when})
		}
	}
	return all
}

// placesOn are the names of the sources or sinks, or of nothing in particular.
func (s scene) placesOn(side side) []string {
	var names []string
	switch side {
	case neither:
		return []string{""}
	case in:
		for _, source := range s.reads() {
			names = append(names, source.name)
		}
	case out:
		for i := range s.sinks {
			names = append(names, s.sinkName(i))
		}
	}
	return names
}

// moments are when a call may fail that was made as logged, as strace's when=
// has them: the first time, the last, the second, and from one of these on.
func (f fault) moments(calls []logged, errno string) []string {
	var moments []string
	if f.only != "" { // the call is also made for other purposes
		for _, c := range calls {
			moments = append(moments, strconv.Itoa(c.number))
		}
		return moments
	}
	moments = []string{"1", strconv.Itoa(len(calls)), "2"}
	if !strings.Contains(passing, errno) { // which would go on for ever
		moments = append(moments, "1+", "2+")
	}
	if len(calls) == 1 {
		return moments[:1]
	}
	return moments
}

// fail runs the play with injections, the last of which is of fault f on the
// source or sink k, and judges what comes of it.
func (p *play) fail(f fault, k int, injections []injection, used *usage) {
	p.Helper()
	i := injections[len(injections)-1]
	p.trace(p.places[i.place], injections...)
	o := p.run()
	hits := slices.DeleteFunc(o.log(), func(l logged) bool { return !l.injected() || l.call != f.call })
	if slices.ContainsFunc(hits, func(l logged) bool { return !strings.Contains(l.line, f.only) }) ||
		len(hits) > 1 && !strings.HasSuffix(i.when, "+") {
		return // strace counts by thread, and the calls were spread in another way
	}
	if len(hits) > 0 {
		used.add(f)
	}
	if len(hits) == 0 || slices.Contains(strings.Fields(f.heals), i.errno) {
		o.succeeded()
		return
	}
	o.hasFailed(f, k, texts[i.errno])
	if p.Failed() {
		p.Logf("injected: %v", hits)
	}
}

func (o outcome) hasFailed(f fault, k int, text string) {
	o.Helper()
	switch {
	case f.call == "fstat" && o.tool == "ztee" && f.side == out && k == 0:
		o.sinkFailed(k, texts["EBADF"]) // it takes the descriptor for closed
	case f.call == "fstat" && o.describes(f.side, text) != "":
		o.ended(1)
		o.saidOnly(o.describes(f.side, text))
		o.isBeginning(0)
	case f.side == in:
		o.sourceFailed(k, text)
	case o.sinks[k].kind == pipe && text == texts["EPIPE"]:
		o.died(syscall.SIGPIPE) // as if the kernel had sent it
	default:
		o.sinkFailed(k, text)
	}
}

// describes is what a tool says, and ends, if it cannot even find out what a
// standard descriptor is.
func (s scene) describes(side side, text string) string {
	switch {
	case s.tool == "ztee" && side == in:
		return "ztee: read error: " + text + "\nztee: standard input: " + text
	case s.tool == "zpipe" && side == in:
		return "zpipe: standard input: " + text
	case s.tool != "ztee" && side == out:
		return s.tool + ": standard output: " + text
	}
	return ""
}
