package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
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

	"zeroutils/internal/property"
	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// TestBehavesAsTheRealCp builds the same random tree twice, runs cp in one and
// zcp in the other with the same arguments, and compares all that a user can
// see: what was said, the status, and every file with its kind, contents,
// permissions, owner, times of preserved files, links, and blocks.
//
// The trees are on a tmpfs, whose inode numbers rise with every file made: so
// both programs, which copy in the order of inode numbers, say things in the
// same order.
//
// There are 2,000 cases, 20,000 with ZEROUTILS_LONG=1. How many differ from cp for
// a reason that is known is printed, by reason; there must be few.
func TestBehavesAsTheRealCp(t *testing.T) {
	testfs.NeedPipeAllowance(t) // FIFOs have to take whole files
	o := newOracle(t)
	cases := 2000
	if property.Long() {
		cases = 20_000
	}
	excused := excuses{}
	defer excused.check(t, mostExcused)
	property.Check(t, cases, func(t *rapid.T) {
		for { // another one is drawn where something is wrong with cp
			c := drawCase(t, os.Geteuid() == 0)
			want := o.run(t, "want", o.cp, c)
			c.args = append([]string{rapid.SampledFrom([]string{"-j1", "-j4"}).Draw(t, "jobs")}, c.args...)
			got := o.run(t, "got", o.zcp, c)
			want, got = old91(want, got)
			if want == got {
				excused.count("")
				return
			}
			why := c.deviation(want, got)
			if why == "" {
				t.Fatalf("%v\n%.3000s", c, difference(want, got))
			}
			if lost := lostContents(o.before(t, c), want, got); lost != "" {
				t.Fatalf("%v\nexcused since %s, but what cp leaves alone is gone: %s\n%.3000s", c, why, lost, difference(want, got))
			}
			excused.count(why)
		}
	})
}

// An oracle knows where to run what.
type oracle struct {
	dir     string
	cp, zcp string
}

func newOracle(t *testing.T) *oracle {
	o := &oracle{dir: onTmpfs(t), cp: testfs.Need(t, "cp"), zcp: filepath.Join(testbin.Dir(t), "zcp")}
	version, _ := exec.Command(o.cp, "--version").Output()
	if !bytes.Contains(version, []byte("GNU coreutils")) {
		testfs.Unavailable(t, "cp is not GNU's: nothing to compare with")
	}
	if err := os.Chmod(o.dir, 0o755); err != nil { // for other users
		t.Fatal(err)
	}
	return o
}

// onTmpfs returns a directory on a tmpfs, for root on one that nobody else fills.
func onTmpfs(t *testing.T) string {
	if os.Geteuid() == 0 {
		return testfs.Mount(t, "tmpfs")
	}
	const shm = "/dev/shm"
	var fs unix.Statfs_t
	if err := unix.Statfs(shm, &fs); err == nil && int64(fs.Type) == unix.TMPFS_MAGIC {
		if dir, err := os.MkdirTemp(shm, "zcp-test-"); err == nil {
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	return testfs.Mount(t, "tmpfs")
}

// run builds the case's tree, runs the program in it and says how it ended and
// what is there then.
func (o *oracle) run(t *rapid.T, name, program string, c *testCase) string {
	root := filepath.Join(o.dir, name)
	defer removeAll(root)
	// Far enough down that no .. among the operands leads out.
	world := filepath.Join(root, "1/2/3/4/5/6/w")
	must(t, os.MkdirAll(world, 0o755))
	must(t, os.Chmod(world, 0o777))
	fifos := c.build(t, world)
	defer func() {
		for _, fd := range fifos {
			unix.Close(fd)
		}
	}()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, c.args...)
	cmd.Dir = world
	cmd.Env = append(c.env, "PATH=/nonexistent")
	if c.user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.user, Gid: c.user}}
	}
	cmd.Args[0] = filepath.Base(program)
	cmd.Stdin = strings.NewReader(c.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	umask := unix.Umask(c.umask)
	err := cmd.Run()
	unix.Umask(umask)
	if ctx.Err() != nil {
		t.Fatalf("%v\n%s does not end", c, program)
	}
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	return fmt.Sprintf("status %d\n-- stdout\n%s-- stderr\n%s-- files\n%s",
		cmd.ProcessState.ExitCode(), &stdout, anonymous(stderr.String()), snapshot(t, root, fifos))
}

// before says what a program finds.
func (o *oracle) before(t *rapid.T, c *testCase) string {
	root := filepath.Join(o.dir, "before")
	defer removeAll(root)
	must(t, os.MkdirAll(root, 0o755))
	fifos := c.build(t, root)
	defer func() {
		for _, fd := range fifos {
			unix.Close(fd)
		}
	}()
	return snapshot(t, root, fifos)
}

// lostContents are those of a file that was there before and still is after cp,
// under any name, but not after zcp. No rule excuses that.
func lostContents(before, want, got string) string {
	contents := regexp.MustCompile(`\d+ bytes \d+ blocks \d+ links ([0-9a-f]+)`)
	in := func(snapshot string) map[string]bool {
		all := map[string]bool{}
		for _, found := range contents.FindAllStringSubmatch(snapshot, -1) {
			all[found[1]] = true
		}
		return all
	}
	// An earlier simple backup is replaced by the next one, since 9.2 also by that of
	// what makes place for a directory.
	earlier := regexp.MustCompile(`(?m)^.*~" .*$`)
	kept, left := in(want), in(got)
	for sum := range in(earlier.ReplaceAllString(before, "")) {
		if kept[sum] && !left[sum] {
			return sum
		}
	}
	return ""
}

// anonymous puts cp's name in place of zcp's.
func anonymous(stderr string) string {
	lines := strings.SplitAfter(stderr, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "zcp: "); ok {
			lines[i] = "cp: " + rest
		}
		lines[i] = strings.ReplaceAll(lines[i], "? zcp: ", "? cp: ") // what is said after a question
		lines[i] = strings.Replace(lines[i], "Try 'zcp --help'", "Try 'cp --help'", 1)
	}
	return strings.Join(lines, "")
}

// removeAll removes what may be unreadable.
func removeAll(root string) {
	filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if entry != nil && entry.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	os.RemoveAll(root)
}

// snapshot describes all files below root. The time of a FIFO that was there
// before does not count: write(2) sets it, and splice(2) does not.
func snapshot(t *rapid.T, root string, fifos []int) string {
	var b strings.Builder
	written := map[uint64]bool{}
	for _, fd := range fifos {
		var st unix.Stat_t
		must(t, unix.Fstat(fd, &st))
		written[st.Ino] = true
	}
	visit(root, func(path string, st *unix.Stat_t) {
		fmt.Fprintf(&b, "%q %o %d:%d", strings.TrimPrefix(path, root), st.Mode, st.Uid, st.Gid)
		// In a directory with the sticky bit zcp finds out by trying that it may not replace a file.
		tried := st.Mode&(unix.S_IFMT|unix.S_ISVTX) == unix.S_IFDIR|unix.S_ISVTX
		if mtime := time.Unix(st.Mtim.Unix()); !tried && !written[st.Ino] && time.Since(mtime) > time.Hour {
			fmt.Fprintf(&b, " %d", mtime.UnixNano())
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			text, err := os.Readlink(path)
			must(t, err)
			fmt.Fprintf(&b, " -> %q", text)
		case unix.S_IFREG:
			data, _ := os.ReadFile(path) // also what may not be read is compared, as nothing
			fmt.Fprintf(&b, " %d bytes %d blocks %d links %x", st.Size, st.Blocks, st.Nlink, crc32.ChecksumIEEE(data))
		case unix.S_IFCHR:
			fmt.Fprintf(&b, " device %x", st.Rdev)
		}
		b.WriteString(xattrs(path))
		b.WriteByte('\n')
	})
	return b.String()
}

// xattrs describes the extended attributes of a file, lists among them.
func xattrs(path string) string {
	names := make([]byte, 4096)
	n, err := unix.Llistxattr(path, names)
	if err != nil {
		return ""
	}
	all := strings.Split(string(names[:n]), "\x00")
	slices.Sort(all)
	var b strings.Builder
	for _, name := range all[1:] { // the first is empty
		value := make([]byte, 4096)
		n, _ := unix.Lgetxattr(path, name, value)
		fmt.Fprintf(&b, " %s=%x", name, crc32.ChecksumIEEE(value[:max(n, 0)]))
	}
	return b.String()
}

// visit looks at all files below a directory, in the order of their names.
func visit(dir string, look func(string, *unix.Stat_t)) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		var st unix.Stat_t
		if unix.Lstat(path, &st) != nil {
			continue
		}
		look(path, &st)
		if entry.IsDir() {
			visit(path, look)
		}
	}
}

// difference shows what only one of two texts has.
func difference(want, got string) string {
	var out strings.Builder
	for _, line := range onlyIn(want, got) {
		fmt.Fprintf(&out, "cp:  %s\n", line)
	}
	for _, line := range onlyIn(got, want) {
		fmt.Fprintf(&out, "zcp: %s\n", line)
	}
	if out.Len() == 0 {
		return fmt.Sprintf("the order differs. cp:\n%s\nzcp:\n%s", want, got)
	}
	return out.String()
}

// onlyIn are the lines of a that b has not.
func onlyIn(a, b string) (lines []string) {
	others := strings.Split(b, "\n")
	for line := range strings.SplitSeq(a, "\n") {
		if !slices.Contains(others, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// excuses counts by rule the cases in which a difference from cp was excused, and
// the others under "".
type excuses map[string]int

func (e excuses) count(rule string) { e[rule]++ }

// mostExcused is how many of a thousand cases may be excused: a comparison that
// overlooks more of them would be no proof.
const mostExcused = 20

func (e excuses) check(t *testing.T, most int) {
	t.Helper()
	all, excused := 0, 0
	for rule, n := range e {
		all += n
		if rule != "" {
			excused += n
			t.Logf("%5d excused: %s", n, rule)
		}
	}
	t.Logf("%5d of %d cases excused", excused, all)
	if excused*1000 > all*most {
		t.Errorf("more than %d of 1000 cases are excused", most)
	}
}
