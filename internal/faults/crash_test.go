package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// A crash is a run of zcp whose every system call is failed once, as by a disk
// that fails, is full or is all that its user may have, and killed at once.
type crash struct {
	name    string
	options []string
	source  string // what is copied, in the directory from
	files   map[string]string
	old     string // what is at the destination before
}

// steps are the calls that change something, or whose failure could be taken
// for success.
const steps = "openat,fstat,newfstatat,read,write,splice,ftruncate,fallocate,fadvise64,fchmod,fchown,fsetxattr,utimensat," +
	"fsync,fcntl,flock,linkat,symlinkat,mkdirat,mknodat,renameat,renameat2,unlinkat,getdents64,close"

var crashes = []crash{
	{name: "atomic", options: []string{"--atomic"}, source: "f", files: map[string]string{"f": large}, old: "old"},
	{name: "atomic and new", options: []string{"--atomic", "-p"}, source: "f", files: map[string]string{"f": large}},
	{name: "move", options: []string{"--move"}, source: "f", files: map[string]string{"f": large}},
	{name: "move over a file", options: []string{"--move"}, source: "f", files: map[string]string{"f": large}, old: "old"},
	{name: "move with a backup", options: []string{"--move", "-b"}, source: "f", files: map[string]string{"f": large}, old: "old"},
	{name: "move that goes on", options: []string{"--move", "--resume"}, source: "f", files: map[string]string{"f": large}, old: "old"},
	{name: "atomic copy on disk that goes on", options: []string{"--atomic", "--fsync", "--resume"}, source: "f", files: map[string]string{"f": large}, old: "old"},
	{name: "move of a tree", options: []string{"--move", "-j1"}, source: "d", files: map[string]string{"d/f": large, "d/sub/g": "small", "d/h=d/f": large, "d/l->f": ""}},
}

// large takes the way of large files, with preallocation.
var large = string(noise[:1<<20+5])

func TestKilledAtAnyStepTheOnlyCopyIsWholeSomewhere(t *testing.T) {
	needStrace(t)
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), testfs.Shared(t, "ext4")
			s := &site{crash: c, from: from, to: to, zcp: filepath.Join(testbin.Dir(t), "zcp")}
			for i, step := range s.steps(t) {
				s.try(t, step, "error=EIO:signal=KILL", false)
				for j, errno := range []string{"ENOSPC", "EIO", "EDQUOT"} {
					if long || i%9 == 3*j {
						s.try(t, step, "error="+errno, true)
					}
				}
			}
		})
	}
}

func TestKilledAtAnyMomentTheOldFileOrTheNewOneIsThere(t *testing.T) {
	rounds := 12
	if long {
		rounds = 500
	}
	for _, option := range []string{"--atomic", "--move"} {
		t.Run(option, func(t *testing.T) {
			c := crash{options: []string{option}, source: "f", files: map[string]string{"f": string(noise)}, old: "old"}
			s := &site{crash: c, from: t.TempDir(), to: testfs.Shared(t, "ext4"), zcp: filepath.Join(testbin.Dir(t), "zcp")}
			s.setUp(t)
			start := time.Now()
			if out, err := exec.Command(s.zcp, s.args()...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			takes := time.Since(start)
			for i := range rounds {
				s.setUp(t)
				cmd := exec.Command(s.zcp, s.args()...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(rand.N(takes))
				_ = cmd.Process.Kill() // or it has ended
				err := cmd.Wait()
				s.whole(t, fmt.Sprint("round ", i), err == nil)
				if err == nil {
					continue
				}
				again, err := exec.Command(s.zcp, s.args()...).CombinedOutput()
				if err != nil && !strings.Contains(string(again), "No such file or directory") {
					t.Errorf("round %d, the second time: %v\n%s", i, err, again)
				}
				s.whole(t, "the second time", true)
				s.noLitter(t, "the second time")
			}
		})
	}
}

// A site is where a crash happens: from and to are on two filesystems.
type site struct {
	crash
	from, to, zcp string
}

func (s *site) setUp(t *testing.T) {
	t.Helper()
	for _, dir := range []string{s.from, s.to} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	names := make([]string, 0, len(s.files))
	for name := range s.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		path, target, linked := strings.Cut(name, "=")
		link, text, symbolic := strings.Cut(name, "->")
		err := os.MkdirAll(filepath.Join(s.from, filepath.Dir(name)), 0o755)
		switch {
		case err != nil:
		case symbolic:
			err = os.Symlink(text, filepath.Join(s.from, link))
		case linked:
			err = os.Link(filepath.Join(s.from, target), filepath.Join(s.from, path))
		default:
			err = os.WriteFile(filepath.Join(s.from, name), []byte(s.files[name]), 0o640)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if s.old != "" {
		if err := os.WriteFile(filepath.Join(s.to, s.source), []byte(s.old), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *site) args() []string {
	return append(slices.Clone(s.options), "-T", filepath.Join(s.from, s.source), filepath.Join(s.to, s.source))
}

// steps are the calls of an undisturbed run, as strace counts them, from the
// first that concerns the files.
func (s *site) steps(t *testing.T) (all []string) {
	t.Helper()
	s.setUp(t)
	log := filepath.Join(t.TempDir(), logName)
	cmd := exec.Command("strace", append([]string{"-f", "-qqq", "-e", "signal=none", "-o", log, "-e", "trace=" + steps, s.zcp}, s.args()...)...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	s.whole(t, "undisturbed", true)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	counts, begun := map[string]int{}, false
	for line := range strings.Lines(string(text)) {
		begun = begun || strings.Contains(line, s.to)
		if found := opening.FindStringSubmatch(line); found != nil {
			counts[found[1]+found[2]]++
			step := fmt.Sprintf("inject=%s:%%s:when=%d", found[2], counts[found[1]+found[2]])
			if begun && !slices.Contains(all, step) {
				all = append(all, step)
			}
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d steps: %s", len(all), text)
	}
	return all
}

// try disturbs one run at one step, and gives the same command again.
func (s *site) try(t *testing.T, step, how string, lives bool) {
	t.Helper()
	s.setUp(t)
	call, _, _ := strings.Cut(strings.TrimPrefix(step, "inject="), ":")
	step = fmt.Sprintf(step, how)
	log := filepath.Join(t.TempDir(), logName)
	cmd := exec.Command("strace", append([]string{"-f", "-qqq", "-o", log, "-e", "signal=none", "-e", "trace=" + call, "-e", step, s.zcp}, s.args()...)...)
	out, err := cmd.CombinedOutput()
	s.whole(t, step, err == nil)
	if lives {
		if err != nil && len(out) == 0 && !muted(t, log) {
			t.Errorf("%s: %v without a word", step, err)
		}
		if !slices.Contains(s.options, "--resume") {
			s.noLitter(t, step)
		}
	}
	again, err := exec.Command(s.zcp, s.args()...).CombinedOutput()
	if err != nil && !strings.Contains(string(again), "No such file or directory") {
		t.Errorf("%s: the second time: %v\n%s", step, err, again)
	}
	s.whole(t, step+", and again", true)
	s.noLitter(t, step+", and again")
}

// muted reports whether the message itself was failed: strace counts the calls
// of each thread, and the message may come from another one than the copy.
func muted(t *testing.T, log string) bool {
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m) write\(2, .*\(INJECTED\)$`).Match(text)
}

// whole checks that each file is there in full, and, if the run succeeded, at
// its destination and nowhere else. What has the name of a destination is the
// old file or the new one.
func (s *site) whole(t *testing.T, when string, done bool) {
	t.Helper()
	moves := slices.Contains(s.options, "--move")
	for name, content := range s.files {
		name, _, _ = strings.Cut(name, "=")
		name, text, link := strings.Cut(name, "->")
		source, sourceErr := read(filepath.Join(s.from, name), link)
		dest, destErr := read(filepath.Join(s.to, name), link)
		if link {
			content = text
		}
		atSource := sourceErr == nil && source == content
		atDest := destErr == nil && dest == content
		switch {
		case !atSource && !atDest:
			t.Errorf("%s: %s is nowhere whole", when, name)
		case destErr == nil && !atDest && (dest != s.old || s.old == ""):
			t.Errorf("%s: the copy of %s is neither old nor new: %d bytes", when, name, len(dest))
		case done && (!atDest || moves && sourceErr == nil):
			t.Errorf("%s: %s: at the destination %v, at the source %v", when, name, atDest, atSource)
		}
	}
}

func read(path string, link bool) (string, error) {
	if link {
		return os.Readlink(path)
	}
	data, err := os.ReadFile(path)
	return string(data), err
}

func (s *site) noLitter(t *testing.T, when string) {
	t.Helper()
	out, err := exec.Command("find", s.from, s.to, "-name", ".zcp-*").CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("%s: left: %v %s", when, err, out)
	}
}
