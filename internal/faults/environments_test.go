package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

func TestWhateverCallAFilterRefusesEverythingArrives(t *testing.T) {
	testbin.NeedFilters(t)
	for _, refused := range filters() {
		for _, errno := range []string{"ENOSYS", "EPERM"} {
			t.Run(refused.name+" gives "+errno, func(t *testing.T) {
				t.Parallel()
				for i, s := range scenes {
					if len(refused.calls) == 1 && i%apart() > 0 && !long {
						continue // the last filter refuses it too, to all
					}
					t.Run(s.name, func(t *testing.T) {
						p := s.setUp(t, t.TempDir())
						p.must(testbin.Filtered(p.cmd, errno, refused.calls...))
						o := p.run()
						o.ended(0)
						for i := range s.sinks {
							o.isComplete(i)
						}
					})
				}
			})
		}
	}
}

// apart is how far the scenes are apart that get each filter.
func apart() int {
	if testing.Short() {
		return 12
	}
	return 3
}

// A filter is a name for some calls.
type filter struct {
	name  string
	calls []string
}

// filters are each call by itself, and all of them.
func filters() []filter {
	all := filter{name: "all of them"}
	var each []filter
	for _, call := range []string{
		"splice", "tee", "sendfile", "copy_file_range", "statx", "openat2", "renameat2", "fallocate",
		"F_SETPIPE_SZ", "close_range",
	} {
		each = append(each, filter{call, []string{call}})
		all.calls = append(all.calls, call)
	}
	return append(each, all)
}

// A job is something for zcp to do in a directory with a file "big", a tree
// "tree" and a file "old".
type job struct {
	name string
	args []string // of zcp
	cp   []string // the same of cp or mv, which begins with the name; nil if they have no such thing
	// done compares what was made, if the status is 0.
	done func(dir string) error
}

var jobs = []job{
	{"a file", []string{"big", "new"}, []string{"cp", "big", "new"}, hasBig("new")},
	{"over a file", []string{"big", "old"}, []string{"cp", "big", "old"}, hasBig("old")},
	{"a tree", []string{"-a", "tree", "new"}, []string{"cp", "-a", "tree", "new"}, hasTree("new")},
	{"with a numbered backup", []string{"--backup=numbered", "big", "old"}, []string{"cp", "--backup=numbered", "big", "old"}, hasBig("old")},
	{"with a clone if possible", []string{"--reflink=auto", "big", "new"}, []string{"cp", "--reflink=auto", "big", "new"}, hasBig("new")},
	{"a file, atomically", []string{"--atomic", "--fsync", "big", "old"}, nil, hasBig("old")},
	{"a file, verified", []string{"--verify", "big", "new"}, nil, hasBig("new")},
	{"a tree, atomically", []string{"-a", "--atomic", "tree", "new"}, nil, hasTree("new")},
	{"a move", []string{"--move", "big", "new"}, []string{"mv", "big", "new"}, hasBig("new")},
	{"a move over a file", []string{"--move", "big", "old"}, []string{"mv", "big", "old"}, hasBig("old")},
	{"a move of a tree", []string{"--move", "tree", "new"}, []string{"mv", "tree", "new"}, hasTree("new")},
}

func hasBig(name string) func(string) error {
	return func(dir string) error { return hasNoise(filepath.Join(dir, name), big) }
}

func hasTree(name string) func(string) error {
	return func(dir string) error {
		return errors.Join(
			hasNoise(filepath.Join(dir, name, "sub", "file"), 5000),
			hasNoise(filepath.Join(dir, name, "sub", "same"), 5000),
			hasNoise(filepath.Join(dir, name, "large"), big))
	}
}

func hasNoise(path string, n int) error {
	got, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(got, noise[:n]) {
		err = fmt.Errorf("%s differs", path)
	}
	return err
}

// ground makes what jobs work on.
func ground(t *testing.T, dir string) {
	t.Helper()
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "big"), noise[:big], 0o600),
		os.WriteFile(filepath.Join(dir, "old"), []byte(before), 0o600),
		os.MkdirAll(filepath.Join(dir, "tree", "sub"), 0o755),
		os.WriteFile(filepath.Join(dir, "tree", "large"), noise[:big], 0o600),
		os.WriteFile(filepath.Join(dir, "tree", "sub", "file"), noise[:5000], 0o640),
		os.Link(filepath.Join(dir, "tree", "sub", "file"), filepath.Join(dir, "tree", "sub", "same")),
		os.Symlink("file", filepath.Join(dir, "tree", "sub", "link")),
	); err != nil {
		t.Fatal(err)
	}
}

// An environment changes a command before it runs.
type environment func(t *testing.T, cmd *exec.Cmd)

// work does a job where it may be impossible: what cp or mv can do there, zcp
// can. Otherwise it says why in one sentence, and the source, and a file that
// --atomic or --move would have replaced, are as they were.
func (j job) work(t *testing.T, dir string, within environment) {
	t.Helper()
	if strings.HasSuffix(j.name, "atomically") {
		testfs.NotOnFUSE(t) // each file has a name in the way, and a message
	}
	ground(t, dir)
	status, said := j.runIn(t, dir, filepath.Join(testbin.Dir(t), "zcp"), j.args, within)
	if status == 0 {
		if said != "" {
			t.Errorf("said %q", said)
		}
		if err := j.done(dir); err != nil {
			t.Error(err)
		}
		return
	}
	t.Logf("status %d, said %q", status, firstLines(said))
	if status != 1 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "zcp: ") {
		t.Errorf("status %d, said %q, want 1 and a sentence", status, firstLines(said))
	}
	if err := errors.Join(hasNoise(filepath.Join(dir, "big"), big), hasTree("tree")(dir)); err != nil {
		t.Errorf("the source is not as it was: %v", err)
	}
	if j.cp == nil {
		return
	}
	theirs := filepath.Join(dir, "theirs")
	if err := os.Mkdir(theirs, 0o755); err != nil {
		t.Fatal(err)
	}
	ground(t, theirs)
	if want, says := j.runIn(t, theirs, testfs.Need(t, j.cp[0]), j.cp[1:], within); want == 0 {
		t.Errorf("status %d, said %q, and %s does it: %q", status, said, j.cp[0], says)
	}
}

func (j job) runIn(t *testing.T, dir, tool string, args []string, within environment) (status int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir = dir
	within(t, cmd)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestWhateverCallAFilterRefusesZcpDoesWhatCpDoes(t *testing.T) {
	testbin.NeedFilters(t)
	for _, refused := range filters() {
		for _, errno := range []string{"ENOSYS", "EPERM"} {
			t.Run(refused.name+" gives "+errno, func(t *testing.T) {
				t.Parallel()
				for i, j := range jobs {
					if len(refused.calls) == 1 && i%apart() > 0 && !long {
						continue
					}
					t.Run(j.name, func(t *testing.T) {
						j.work(t, t.TempDir(), func(t *testing.T, cmd *exec.Cmd) {
							if err := testbin.Filtered(cmd, errno, refused.calls...); err != nil {
								t.Fatal(err)
							}
						})
					})
				}
			})
		}
	}
}

// Between filesystems a move copies.
func TestWhateverCallAFilterRefusesAMoveBetweenFilesystemsLosesNothing(t *testing.T) {
	testbin.NeedFilters(t)
	all := filters()
	for _, refused := range all {
		for _, errno := range []string{"ENOSYS", "EPERM"} {
			if refused.name != all[len(all)-1].name && refused.name != "renameat2" && !long {
				continue
			}
			t.Run(refused.name+" gives "+errno, func(t *testing.T) {
				away := testfs.Shared(t, "tmpfs")
				for _, name := range []string{"big", "tree"} {
					to := filepath.Join(away, name)
					done := hasBig(name)
					if name == "tree" {
						done = hasTree(name)
					}
					j := job{name: name, args: []string{"--move", name, to}, done: func(string) error { return done(away) }}
					t.Run(name, func(t *testing.T) {
						j.work(t, t.TempDir(), func(t *testing.T, cmd *exec.Cmd) {
							if err := testbin.Filtered(cmd, errno, refused.calls...); err != nil {
								t.Fatal(err)
							}
						})
					})
				}
			})
		}
	}
}

// In a chroot there may be neither /proc nor /dev.
func TestInABareChrootTheToolsDoTheirWork(t *testing.T) {
	testfs.NeedRoot(t)
	cell := func(t *testing.T) string {
		dir := t.TempDir()
		for _, tool := range []string{"zcat", "ztee", "zcp", "zpipe"} {
			program, err := os.ReadFile(filepath.Join(testbin.Dir(t), tool))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, tool), program, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, s := range []scene{
		{name: "zcat from a file to a pipe", tool: "zcat", sources: fromFile, sinks: toPipe},
		{name: "zcat, stable", tool: "zcat", options: []string{"--stable"}, sources: fromFile, sinks: toPipe},
		{name: "zcat from a file to a file", tool: "zcat", sources: fromFile, sinks: toFile},
		{name: "zcat from a pipe to a file", tool: "zcat", sources: fromPipe, sinks: toFile},
		{name: "zpipe", tool: "zpipe", sources: fromPipe, sinks: toPipe},
		{name: "ztee", tool: "ztee", sources: fromPipe, sinks: []sink{{pipe, ""}, {file, "a"}}},
	} {
		t.Run(s.name, func(t *testing.T) {
			dir := cell(t)
			p := s.setUp(t, dir)
			p.cmd.Path, p.cmd.Dir = "/"+s.tool, "/"
			p.cmd.SysProcAttr.Chroot = p.dir
			p.run().succeeded()
		})
	}
	for _, j := range jobs {
		t.Run("zcp, "+j.name, func(t *testing.T) {
			dir := cell(t)
			j.cp = nil
			ground(t, dir)
			status, said := j.runIn(t, dir, "/zcp", j.args, func(_ *testing.T, cmd *exec.Cmd) {
				cmd.Dir = "/"
				cmd.SysProcAttr = &unix.SysProcAttr{Chroot: dir}
			})
			if status != 0 || said != "" {
				t.Errorf("status %d, said %q", status, firstLines(said))
			}
			if err := j.done(dir); err != nil {
				t.Error(err)
			}
		})
	}
}

// Where nothing can be written but standard output, what needs no more works,
// and zcp says what cp says.
func TestOnAReadOnlySystemTheToolsReadAndZcpSaysSo(t *testing.T) {
	testfs.NeedRoot(t)
	testfs.Need(t, "unshare")
	// The root and the working directory are made so in a namespace of their own.
	readOnly := []string{"unshare", "-m", "sh", "-c",
		`mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && mount -o remount,bind,ro / && cd "$PWD" && exec "$@"`, "sh"}
	for _, s := range []scene{
		{name: "zcat", tool: "zcat", sources: fromFile, sinks: toPipe},
		{name: "zcat, stable", tool: "zcat", options: []string{"--stable"}, sources: fromFile, sinks: toPipe},
		{name: "zpipe", tool: "zpipe", sources: fromPipe, sinks: toPipe},
		{name: "ztee", tool: "ztee", sources: fromPipe, sinks: []sink{{pipe, ""}, {pipe, ""}}},
	} {
		t.Run(s.name, func(t *testing.T) {
			p := s.setUp(t, t.TempDir())
			p.under(readOnly...)
			p.run().succeeded()
		})
	}
	for _, j := range jobs {
		t.Run("zcp, "+j.name, func(t *testing.T) {
			dir := t.TempDir()
			ground(t, dir)
			within := func(t *testing.T, cmd *exec.Cmd) {
				shell := testfs.Need(t, readOnly[0])
				cmd.Args = append(append([]string{}, readOnly...), append([]string{cmd.Path}, cmd.Args[1:]...)...)
				cmd.Path = shell
			}
			status, said := j.runIn(t, dir, filepath.Join(testbin.Dir(t), "zcp"), j.args, within)
			if status != 1 || !strings.Contains(said, "Read-only file system\n") || !strings.HasPrefix(said, "zcp: ") {
				t.Errorf("status %d, said %q", status, firstLines(said))
			}
			if j.cp != nil {
				theirs := testfs.Need(t, j.cp[0])
				want, says := j.runIn(t, dir, theirs, j.cp[1:], within)
				if want != status || strings.ReplaceAll(said, "zcp: ", theirs+": ") != says {
					t.Errorf("status %d, said %q; %s: status %d, %q", status, said, j.cp[0], want, says)
				}
			}
		})
	}
}

// The Go runtime reserves address space for what it may need: 2 GB are enough,
// and 64 MiB of data. With less address space it depends: 0.8 to 1.1 GB mostly
// do, 1.2 GB never, and 1.3 GB not on a busy machine, which takes more threads.
func TestWithLittleMemoryTheToolsDoTheirWork(t *testing.T) {
	testfs.Need(t, "prlimit")
	for _, limit := range []string{"--as=2000000000", "--data=67108864", "--stack=65536"} {
		for _, s := range scenes {
			t.Run(limit+" "+s.name, func(t *testing.T) {
				t.Parallel()
				p := s.setUp(t, t.TempDir())
				p.under("prlimit", limit)
				o := p.run()
				o.ended(0)
				for i := range s.sinks {
					o.isComplete(i)
				}
			})
		}
		for _, j := range jobs {
			t.Run(limit+" zcp, "+j.name, func(t *testing.T) {
				t.Parallel()
				prlimit := testfs.Need(t, "prlimit")
				j.work(t, t.TempDir(), func(_ *testing.T, cmd *exec.Cmd) {
					cmd.Args = append([]string{prlimit, limit, cmd.Path}, cmd.Args[1:]...)
					cmd.Path = prlimit
				})
			})
		}
	}
}

// stranger is a user whom nobody else is, so that what it takes of the pipe
// allowance is missed by nobody.
const stranger = 61_234

// strangerVariable has the test binary become the stranger, and then the
// program that its arguments name as those of [testbin.Filtered] do; without any it
// hoards pipes.
const strangerVariable = "ZEROUTILS_TEST_STRANGER"

// becomeStranger does not return.
func becomeStranger() {
	os.Unsetenv(strangerVariable)
	program, err := 0, error(nil)
	if len(os.Args) > 1 { // opened before the way to it is barred
		program, err = unix.Open(os.Args[1], unix.O_PATH, 0)
	}
	if err == nil {
		err = errors.Join(unix.Setgroups(nil), unix.Setresgid(stranger, stranger, stranger), unix.Setresuid(stranger, stranger, stranger))
	}
	if err == nil && program == 0 {
		hoard()
	}
	if err == nil {
		err = unix.Exec(fmt.Sprintf("/proc/self/fd/%d", program), os.Args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "stranger:", err)
	os.Exit(125)
}

// hoard makes pipes and raises them until the kernel refuses, says so, and
// keeps them until standard input ends. It does not return.
func hoard() {
	var fds [2]int
	for {
		if err := unix.Pipe2(fds[:], 0); err != nil {
			break
		}
		if _, err := unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, 1<<20); err != nil {
			break
		}
	}
	for {
		if err := unix.Pipe2(fds[:], 0); err != nil {
			break
		}
		if n, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETPIPE_SZ, 0); err != nil || n < 1<<16 {
			break
		}
	}
	fmt.Println("full")
	_, _ = os.Stdin.Read(make([]byte, 1))
	os.Exit(0)
}

// Another program of the same user may have taken all that the user may have of
// pipes: new ones then have a page or two, and none can be raised.
func TestWithoutAPipeAllowanceEverythingArrives(t *testing.T) {
	testfs.NeedRoot(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	hoarder := exec.Command(self)
	hoarder.Env = append(os.Environ(), strangerVariable+"=1")
	life, err := hoarder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	says, err := hoarder.StdoutPipe()
	if err == nil {
		err = hoarder.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		life.Close()
		_ = hoarder.Wait()
	})
	if _, err := says.Read(make([]byte, 1)); err != nil {
		t.Fatal("the hoarder: ", err)
	}
	for _, s := range scenes {
		if slices.ContainsFunc(s.sinks[1:], func(s sink) bool { return s.kind == pipe }) {
			continue // which a stranger may not open by name
		}
		t.Run(s.name, func(t *testing.T) {
			p := s.setUp(t, t.TempDir())
			p.must(filepath.WalkDir(p.dir, func(path string, _ fs.DirEntry, err error) error {
				return errors.Join(err, os.Lchown(path, stranger, stranger))
			}))
			p.cmd.Env = append(os.Environ(), strangerVariable+"=1")
			p.cmd.Args = append([]string{asAnother, p.cmd.Path}, p.cmd.Args...)
			p.cmd.Path = self
			o := p.run()
			o.ended(0)
			for i := range s.sinks {
				o.isComplete(i)
			}
		})
	}
}
