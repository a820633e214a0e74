package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	realtool "zeroutils/internal/oracle"
	"zeroutils/internal/property"
	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// TestBehavesAsTheRealMv is TestBehavesAsTheRealCp for mv, with some of the files
// on a second tmpfs.
//
// There are 200 cases, always the same. With ZEROUTILS_LONG=1 there are 20,000 new
// ones; one in some 2,000 of them shows a difference that is not known yet.
func TestBehavesAsTheRealMv(t *testing.T) {
	testfs.NeedPipeAllowance(t) // FIFOs have to take whole files
	o := newMvOracle(t)
	cases, check := 200, property.CheckSame
	if property.Long() {
		cases, check = 20_000, property.Check
	}
	excused := excuses{}
	defer excused.check(t, 50) // half of them since zmv takes back a backup that mv leaves
	check(t, cases, func(t *rapid.T) {
		c := drawMvCase(t, o.other != "")
		want := o.run(t, o.mv, c)
		got := o.run(t, o.zmv, c)
		if want == got {
			excused.count("")
			return
		}
		why := c.mvDeviation(want, got)
		if why == "" {
			t.Fatalf("%v\n%.3000s\nmv:\n%s\nzmv:\n%s", c, difference(want, got), want, got)
		}
		if lost := lostContents(want, want, got); lost != "" {
			t.Fatalf("%v\nexcused since %s, but what mv has is gone: %s\n%.3000s", c, why, lost, difference(want, got))
		}
		excused.count(why)
	})
}

// An mvOracle knows where to run what.
type mvOracle struct {
	dir, other string // on two filesystems; other is empty if there is one only
	mv, zmv    string
}

func newMvOracle(t *testing.T) *mvOracle {
	o := &mvOracle{dir: onTmpfs(t), mv: realtool.Newest(t, "coreutils", "mv").Path, zmv: filepath.Join(testbin.Dir(t), "zcp")}
	dirs := []string{o.dir}
	if os.Geteuid() == 0 {
		o.other = testfs.Mount(t, "tmpfs")
		dirs = append(dirs, o.other)
	}
	for _, dir := range dirs {
		if err := os.Chmod(dir, 0o755); err != nil { // for other users
			t.Fatal(err)
		}
	}
	return o
}

// mvOptions are drawn with these, each seldom.
var mvOptionWords = []string{
	"-f", "-i", "-n", "-u", "--update=all", "--update=none", "--update=none-fail", "--update=older", "-b",
	"--backup=numbered", "--backup=simple", "-S.old", "-T", "--no-copy", "--exchange", "--strip-trailing-slashes", "-Z",
}

func drawMvCase(t *rapid.T, other bool) *testCase {
	root := os.Geteuid() == 0
	c := &testCase{umask: rapid.SampledFrom([]int{0o022, 0, 0o077}).Draw(t, "umask"), other: other}
	if root && rapid.Bool().Draw(t, "unprivileged") {
		c.user = 1234
	}
	c.env = []string{rapid.SampledFrom([]string{"LC_ALL=C", "LC_ALL=C.UTF-8"}).Draw(t, "locale")}
	if seldom(t, "posix", 10) {
		c.env = append(c.env, "POSIXLY_CORRECT=1")
	}
	c.odd = rapid.SampledFrom(oddNames).Draw(t, "odd names")
	for _, option := range mvOptionWords {
		if seldom(t, option, 14) {
			c.args = append(c.args, option)
		}
	}
	if rapid.Bool().Draw(t, "-v") {
		c.args = append(c.args, "-v")
	}
	c.drawNodes(t, true, root)
	if c.other && seldom(t, "into the other filesystem", 3) {
		c.args = append(c.args, "-t", elsewhere)
	}
	c.args = append(c.args, c.drawOperands(t)...)
	c.stdin = rapid.StringMatching(`([yYn]?[a-z]?\n){0,4}y?`).Draw(t, "answers")
	return c
}

// run builds the case's tree, runs the program in it and says how it ended and
// what is there then.
func (o *mvOracle) run(t *rapid.T, program string, c *testCase) string {
	root, other := filepath.Join(o.dir, "case"), filepath.Join(o.other, "case")
	const deep = "1/2/3/4/5/6/w" // so that no .. among the operands leads out
	world := filepath.Join(root, deep)
	defer removeAll(root)
	must(t, os.MkdirAll(world, 0o755))
	must(t, os.Chmod(world, 0o777))
	if c.other {
		defer removeAll(other)
		there := filepath.Join(other, deep)
		must(t, os.MkdirAll(there, 0o755))
		must(t, os.Chmod(there, 0o777))
		must(t, os.Symlink(there, filepath.Join(world, elsewhere)))
	}
	fifos := c.build(t, world)
	defer func() {
		for _, fd := range fifos {
			unix.Close(fd)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, c.args...)
	cmd.Args[0] = "mv"
	cmd.Dir, cmd.Env = world, append(c.env, "PATH=/nonexistent")
	if c.user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.user, Gid: c.user}}
	}
	cmd.Stdin = strings.NewReader(c.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	umask := unix.Umask(c.umask)
	err := cmd.Run()
	unix.Umask(umask)
	if failed := (*exec.ExitError)(nil); ctx.Err() != nil || err != nil && !errors.As(err, &failed) {
		t.Fatalf("%v\n%s: %v", c, program, err)
	}
	files := snapshot(t, root, nil)
	if c.other {
		files += "-- elsewhere\n" + snapshot(t, other, nil)
	}
	// libattr names the attribute twice, and not the file.
	said := regexp.MustCompile(`(etting attribute '[^']*' (of|for)) .*:`).ReplaceAllString(stderr.String(), "$1:")
	return fmt.Sprintf("status %d\n-- stdout\n%s-- stderr\n%s-- files\n%s", cmd.ProcessState.ExitCode(), &stdout, said, files)
}

// mvDeviation says why zmv does something else than mv 9.10, or "" if that is not
// known.
func (c *testCase) mvDeviation(want, got string) string {
	switch {
	case strings.HasPrefix(got, "status 2"): // a panic
		return ""
	case slices.Contains(c.args, "--exchange") && strings.Contains(want, "Unknown error -1"):
		return "mv has no words for a destination that is not there"
	case slices.Contains(c.args, "--strip-trailing-slashes") && strings.Contains(want, "Not a directory"):
		return "mv strips slashes after it has tried to rename"
	case regexp.MustCompile(`mv: (cannot (move|overwrite)|warning: source directory) `).MatchString(want) && len(onlyIn(want, got)) > 0 &&
		slices.ContainsFunc(onlyIn(want, got), regexp.MustCompile(`^"/.*(~|\.old)" `).MatchString):
		return "mv leaves a file under the name of its backup where nothing takes its place"
	case strings.Contains(want, " for reading: Permission denied") && strings.Contains(got, " for reading: Permission denied"):
		return "mv removes what is in the way before it knows whether it can read the source"
	case slices.ContainsFunc(c.args, func(arg string) bool { return arg == "-u" || arg == "--update=older" }) &&
		regexp.MustCompile(`(?m)^(removed|mv: cannot create hard link) .*\n`).ReplaceAllString(want, "") == got:
		return "mv makes a newer file a link to itself when the source is named twice"
	case strings.Contains(got, " are the same file") && strings.Contains(strings.Join(c.args, " "), elsewhere+"/"):
		return "mv takes two names of one file through a link for two files, and renames it away"
	}
	return ""
}
