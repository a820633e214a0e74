package splice_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
	"zeroutils/internal/testfs"
)

func TestRaisePipeNeverLowers(t *testing.T) {
	s := newStage(t, "", "", "")
	defer s.end()
	r, w := s.ownedPipe()
	capacity := func() int {
		n, err := unix.FcntlInt(uintptr(r), unix.F_GETPIPE_SZ, 0)
		s.must(err)
		return n
	}
	for _, step := range []struct{ ask, want int }{
		{4096, 65536}, {1 << 20, 1 << 20}, {64 << 10, 1 << 20}, {0, 1 << 20}, {-1, 1 << 20}, {1, 1 << 20},
	} {
		got, err := splice.RaisePipe(w, step.ask)
		if err != nil || got != step.want || capacity() != step.want {
			t.Errorf("RaisePipe(%d) = %d, %v and the pipe holds %d, want %d", step.ask, got, err, capacity(), step.want)
		}
	}
}

func TestRaisePipeIsContentWithWhatAnOrdinaryUserMayHave(t *testing.T) {
	testfs.Setting(t, "/proc/sys/fs/pipe-user-pages-soft", "16384") // the default
	s := newStage(t, "", "", "")
	child := asChild(t, "raise", nil)
	asNobody(child)
	most, err := os.ReadFile("/proc/sys/fs/pipe-max-size")
	s.must(err)
	want, err := strconv.Atoi(string(bytes.TrimSpace(most)))
	s.must(err)
	out, err := child.Output()
	s.must(err)
	if got := string(out); got != fmt.Sprintln(want, nil) {
		t.Errorf("RaisePipe of 64 times as much gave %q, want %d", got, want)
	}
}

// raiseRole asks for 64 times what is allowed.
func raiseRole() {
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		panic(err)
	}
	most, _ := os.ReadFile("/proc/sys/fs/pipe-max-size")
	n, _ := strconv.Atoi(string(bytes.TrimSpace(most)))
	fmt.Println(splice.RaisePipe(fds[1], 64*n))
}

func TestRaisePipeOfWhatIsNoPipeIsAnError(t *testing.T) {
	s := newStage(t, "", "", "")
	defer s.end()
	if _, err := splice.RaisePipe(s.open("/dev/null", unix.O_RDWR), 1<<20); err != unix.EBADF {
		t.Errorf("/dev/null: %v, want EBADF", err)
	}
}

// A user's /proc/self/fd/3 must not name our pipe, and no child may hold it.
func TestPrivateDescriptorsAreHighAndCloseOnExec(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	for _, m := range []splice.Method{splice.Splice, splice.Direct} {
		src, dst := s.textFile("source", 2<<20), s.emptyFile("sink")
		before := descriptors(t)
		var during []int
		c := splice.New()
		defer c.Close()
		_, err := c.Copy(s.describe(dst), s.describe(src), splice.Options{
			Method:   m,
			Progress: func(int64) error { during = descriptors(t); return nil },
		})
		var unserved *splice.UnservedError
		if errors.As(err, &unserved) {
			continue // no O_DIRECT here
		}
		s.must(err)
		private := slices.DeleteFunc(during, func(fd int) bool { return slices.Contains(before, fd) })
		if len(private) != 2 {
			t.Errorf("%v: private descriptors are %v, want two", m, private)
		}
		for _, fd := range private {
			if fd < 200 {
				t.Errorf("%v: private descriptor %d", m, fd)
			}
			// A copy by O_DIRECT has closed its own by now.
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("%v: descriptor %d would be inherited", m, fd)
			}
		}
	}
}

func TestAThousandCopiesLeaveNoDescriptorBehind(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	src, dst := s.textFile("source", 70_000), s.emptyFile("sink")
	r, w := s.pipe()
	s.owns(w, unix.Close(r)) // so that every fourth copy fails
	appended := s.open(filepath.Join(s.dir, "log"), unix.O_CREAT|unix.O_WRONLY|unix.O_APPEND)
	before := descriptors(t)
	kept := splice.New()
	for i := range 1000 {
		unix.Seek(src, 0, unix.SEEK_SET)
		unix.Ftruncate(dst, 0)
		unix.Seek(dst, 0, unix.SEEK_SET)
		c := kept
		if i%2 == 0 {
			c = splice.New()
		}
		sink := []int{dst, w, dst, appended}[i/2%4]
		o := splice.Options{Method: methods[i/8%len(methods)]}
		c.Copy(s.describe(sink), s.describe(src), o)
		if i%3 == 0 {
			c.Tee([]*splice.Sink{{Descriptor: s.describe(sink)}, {Descriptor: s.describe(dst)}}, s.describe(src), splice.TeeOptions{})
		}
		if c != kept {
			c.Close()
		}
	}
	kept.Close()
	left := slices.DeleteFunc(descriptors(t), func(fd int) bool { return slices.Contains(before, fd) })
	if len(left) > 0 {
		t.Errorf("descriptors left behind: %v", left)
	}
}

func TestWithoutDescriptorsForAPipeReadAndWriteCopyEverything(t *testing.T) {
	for _, c := range []struct {
		source string
		by     map[string]int64 // what must have moved it
	}{
		{"regular file", map[string]int64{"readwrite": int64(len(text))}}, // sendfile would use a shared offset without its lock
		{"pipe", map[string]int64{"readwrite": int64(len(text))}},
	} {
		t.Run(c.source, func(t *testing.T) {
			if c.source == "regular file" {
				testfs.NotOnFUSE(t) // copy_file_range would copy it
			}
			s := newStage(t, t.TempDir(), "", "")
			defer s.end()
			src, _ := sourceNamed(c.source).open(s, text, 0)
			dst, arrived := sinkNamed("regular file").open(s, len(text), 0)
			a := s.account(asChild(t, "copy exhausted", []*os.File{s.inherited(src), s.inherited(dst)}))
			if a.Err != "" || a.Delivered != int64(len(text)) || len(a.Fallbacks) == 0 {
				t.Errorf("%+v", a)
			}
			for m, n := range c.by {
				if a.By[m] != n {
					t.Errorf("%v by %s, want %v", a.By, m, n)
				}
			}
			if !bytes.Equal(arrived(), text) {
				t.Error("something else arrived")
			}
		})
	}
}

func TestWithoutDescriptorsForPipesEverySinkGetsEverything(t *testing.T) {
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	src, _ := sourceNamed("pipe").open(s, text, 0)
	file, inFile := sinkNamed("regular file").open(s, len(text), 0)
	pipe, inPipe := sinkNamed("pipe").open(s, len(text), 0)
	a := s.account(asChild(t, "tee exhausted", []*os.File{s.inherited(src), s.inherited(file), s.inherited(pipe)}))
	if a.Err != "" || a.Delivered != int64(len(text)) || a.By["readwrite"] != 2*int64(len(text)) {
		t.Errorf("%+v", a)
	}
	if !bytes.Equal(inFile(), text) || !bytes.Equal(inPipe(), text) {
		t.Error("something else arrived")
	}
}

// leaveNoDescriptors lowers the limit so that no new one can be had.
func leaveNoDescriptors() {
	time.Sleep(time.Nanosecond) // the runtime opens its poller for the first timer, and dies if it cannot
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	limit.Cur = 3
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
}

func exhaustedRole() {
	dst, src := mustDescribe(4), mustDescribe(3)
	leaveNoDescriptors()
	printJSON(accountOf(splice.New().Copy(dst, src, splice.Options{})))
}

// teeRole copies descriptor 3 to 4 and 5.
func teeRole() { teeAfter(func() {}) }

func teeExhaustedRole() { teeAfter(leaveNoDescriptors) }

func teeAfter(prepare func()) {
	sinks := []*splice.Sink{{Descriptor: mustDescribe(4)}, {Descriptor: mustDescribe(5)}}
	src := mustDescribe(3)
	prepare()
	printJSON(accountOf(splice.New().Tee(sinks, src, splice.TeeOptions{})))
}

// Beyond the soft limit on the pages of all pipes of a user, a new pipe has
// two slots. Filling it beyond that would wait for ever.
func TestAUserBeyondThePipeAllowanceIsServedThroughTinyPipes(t *testing.T) {
	testfs.Setting(t, "/proc/sys/fs/pipe-user-pages-soft", "1")
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	src, _ := sourceNamed("pipe").open(s, text[:1<<20], 0)
	dst, arrived := sinkNamed("regular file").open(s, 1<<20, 0)
	child := asChild(t, "copy", []*os.File{s.inherited(src), s.inherited(dst)})
	asNobody(child)
	a := s.account(child)
	if a.Err != "" || a.By["splice"] != 1<<20 {
		t.Errorf("%+v", a)
	}
	if !bytes.Equal(arrived(), text[:1<<20]) {
		t.Error("something else arrived")
	}
}

// The first private pipe of a fan-out may have used up the allowance of the
// second, which must hold as many slots.
func TestAUserWhoseAllowanceEndsBetweenTwoPipesLosesNothing(t *testing.T) {
	const afterTheFirst = 260 // pages; a pipe of 1 MiB has 256, the next one gets 2
	testfs.Setting(t, "/proc/sys/fs/pipe-user-pages-soft", strconv.Itoa(afterTheFirst))
	s := newStage(t, t.TempDir(), "", "")
	defer s.end()
	src, _ := sourceNamed("pipe").open(s, text[:1<<20], 0)
	file, inFile := sinkNamed("regular file").open(s, 1<<20, 0)
	pipe, inPipe := sinkNamed("unix socket").open(s, 1<<20, 0)
	child := asChild(t, "tee", []*os.File{s.inherited(src), s.inherited(file), s.inherited(pipe)})
	asNobody(child)
	a := s.account(child)
	if a.Err != "" || a.Delivered != 1<<20 || a.By["readwrite"] != 0 {
		t.Errorf("%+v", a)
	}
	if !bytes.Equal(inFile(), text[:1<<20]) || !bytes.Equal(inPipe(), text[:1<<20]) {
		t.Error("something else arrived")
	}
}

// descriptors lists those of this process.
func descriptors(t *testing.T) []int {
	t.Helper()
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	var fds []int
	for _, name := range names {
		if fd, _ := strconv.Atoi(name); fd != int(dir.Fd()) {
			fds = append(fds, fd)
		}
	}
	slices.Sort(fds)
	return fds
}
