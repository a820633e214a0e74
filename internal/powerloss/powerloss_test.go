package powerloss

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// A mode is a way to call zcp.
type mode struct {
	name     string
	options  []string
	existing bool // the tree is at the destination already
	within   bool // the destination is on the source's filesystem
	unsynced bool // the disk has the names of the source, and not its data
	copies   bool // the source stays
	mv       bool // it is called as mv: the tree counts as a whole
	flat     bool // what is moved is the files in the tree that are no directories, by their names
	many     bool // there are more files than a batch has
	single   bool // syncfs(2) fails
}

var modes = []mode{
	{name: "move", options: []string{"--move", "-j1"}},
	{name: "move into a tree", options: []string{"--move", "-j1"}, existing: true},
	{name: "move with workers", options: []string{"--move", "-j4"}},
	{name: "move into a tree with workers", options: []string{"--move", "-j4"}, existing: true},
	{name: "move in batches", options: []string{"--move"}, many: true},
	{name: "move where syncfs fails", options: []string{"--move"}, many: true, single: true},
	{name: "move that goes on", options: []string{"--move", "--resume", "-j1"}, existing: true},
	{name: "move with backups", options: []string{"--move", "-b", "-j1"}, existing: true},
	{name: "move within a filesystem", options: []string{"--move", "--fsync"}, within: true},
	{name: "move into a tree within a filesystem", options: []string{"--move", "--fsync"}, within: true, existing: true},
	{name: "move of what is not on disk yet", options: []string{"--move", "--fsync"}, within: true, unsynced: true},
	{name: "move into a tree of what is not on disk yet", options: []string{"--move", "--fsync"}, within: true, existing: true, unsynced: true},
	{name: "mv of a tree", mv: true},
	{name: "mv of files", mv: true, flat: true, existing: true},
	{name: "atomic copy into a tree", options: []string{"-a", "--atomic", "--fsync", "-j1"}, copies: true, existing: true},
	{name: "atomic copy", options: []string{"-a", "--atomic", "--fsync"}, copies: true},
	{name: "atomic copy in batches", options: []string{"-a", "--atomic", "--fsync"}, copies: true, many: true},
}

// rounds is what scripts/powerloss.sh asks for. 0 is the short round of CI.
func rounds(t *testing.T) int {
	text := os.Getenv("POWERLOSS_ROUNDS")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("POWERLOSS_ROUNDS=%s", text)
	}
	return n
}

func TestAMoveSurvivesTheLossOfPower(t *testing.T) {
	zcp := filepath.Join(testbin.Dir(t), "zcp")
	if n := rounds(t); n > 0 {
		for i := range n {
			for _, kind := range []string{"ext4", "xfs", "btrfs"} {
				for _, m := range modes {
					t.Run(fmt.Sprintf("%s/%s/%d", kind, m.name, i), func(t *testing.T) {
						every := 1
						if m.many {
							every = 7
						}
						newSite(t, kind, m, zcp).cut(t, uint64(i), every)
					})
				}
			}
		}
		return
	}
	for i, m := range modes {
		kind := []string{"ext4", "xfs", "btrfs"}[i%3]
		every := 9
		if m.many {
			every = 90
		}
		if m.within && !m.existing { // renaming takes few steps
			every = 1
		}
		t.Run(kind+"/"+m.name, func(t *testing.T) { newSite(t, kind, m, zcp).cut(t, 0, every) })
	}
}

// A harness that finds nothing anywhere would be no proof.
func TestCopyingAndRemovingDoesNot(t *testing.T) {
	s := newSite(t, "ext4", mode{name: "control"}, "")
	s.command = func(source, dest string) *exec.Cmd {
		return exec.Command("/bin/sh", "-c", `cp -a "$1" "$2" && rm -r "$1"`, "sh", source, dest)
	}
	lost := 0
	for _, c := range s.run(t, 0, 5) {
		lost += len(s.inspect(t, c))
	}
	if lost == 0 {
		t.Error("no loss was found")
	}
}

// A site is where the power is cut.
type site struct {
	mode
	tree    []node
	lab     *lab
	src     *disk
	dst     *disk // the same one within a filesystem
	command func(source, dest string) *exec.Cmd
}

func newSite(t *testing.T, kind string, m mode, zcp string) *site {
	t.Helper()
	testfs.NeedRoot(t)
	if m.single {
		testbin.NeedFilters(t)
	}
	s := &site{mode: m, tree: tree, lab: newLab(t)}
	if m.many {
		s.tree = slices.Concat(tree, manyNodes())
	}
	s.command = func(source, dest string) *exec.Cmd {
		switch {
		case m.many: // with few descriptors, batches are small
			words := slices.Concat([]string{"-c", `ulimit -n 1024 && exec "$@"`, "sh", zcp}, m.options, []string{source, dest})
			cmd := exec.Command("/bin/sh", words...)
			if m.single {
				must(t, testbin.Filtered(cmd, "EIO", "syncfs"))
			}
			return cmd
		case m.flat:
			return exec.Command("/bin/sh", "-c", `zcp=$1 && cd "$2" && set -- "$3"/t && exec bash -c 'exec -a mv "$@"' bash "$zcp" -t "$1" $(ls -p | grep -v /)`, "sh", zcp, source, dest)
		case m.mv:
			cmd := exec.Command(zcp, source, dest)
			cmd.Args[0] = "mv"
			return cmd
		}
		return exec.Command(zcp, slices.Concat(m.options, []string{source, dest})...)
	}
	s.src = s.lab.newDisk(t, kind, "source")
	s.dst = s.src
	if !m.within {
		s.dst = s.lab.newDisk(t, kind, "dest")
	}
	into := s.into(s.dst.dir)
	must(t, os.MkdirAll(into, 0o755))
	if m.existing {
		plant(t, into, formerTree())
	}
	must(t, s.dst.sync())
	plant(t, s.src.dir, s.tree)
	if m.unsynced {
		must(t, s.src.commit())
	} else {
		must(t, s.src.sync())
	}
	return s
}

// into is the directory that the tree is moved to.
func (s *site) into(dir string) string {
	if s.within {
		return filepath.Join(dir, "new")
	}
	return dir
}

// A cutOff is what the disks have at one moment.
type cutOff struct {
	after    string // what the command had done
	src, dst string // clones of the images
	done     bool   // the command had ended
}

// cut runs the command, cuts the power at each so manieth step, and checks what
// each of these would leave.
func (s *site) cut(t *testing.T, seed uint64, every int) {
	cuts := s.run(t, seed, every)
	if n := len(cuts); n < 2 && !s.within {
		t.Fatalf("only %d moments", n)
	}
	for _, c := range cuts {
		for _, problem := range s.inspect(t, c) {
			t.Errorf("after %s: %s", c.after, problem)
		}
	}
}

// run returns the moments. The last one is when the command has ended.
func (s *site) run(t *testing.T, seed uint64, every int) (cuts []*cutOff) {
	t.Helper()
	choice := rand.New(rand.NewPCG(seed, 0))
	output := filepath.Join(s.lab.dir, "output")
	log, err := os.Create(output)
	must(t, err)
	defer log.Close()
	cmd := s.command(filepath.Join(s.src.dir, "t"), s.into(s.dst.dir))
	cmd.Stdout, cmd.Stderr = log, log
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	step, last := 0, ""
	take := func(after string, done bool) error {
		if !done {
			if err := s.writeMore(choice); err != nil {
				return err
			}
		}
		c, now, err := s.clone(len(cuts), last)
		if err != nil || c == nil && !done {
			return err
		}
		if c == nil { // nothing was written since: what is known of the last one is more by now
			c = cuts[len(cuts)-1]
			cuts = cuts[:len(cuts)-1]
		}
		c.after, c.done, last = after, done, now
		cuts = append(cuts, c)
		return nil
	}
	status, err := trace(cmd, func(call string) error {
		step++
		if (step+int(seed))%every != 0 {
			return nil
		}
		return take(fmt.Sprintf("step %d, %s", step, call), false)
	})
	must(t, err)
	if said, _ := os.ReadFile(output); status.ExitStatus() != 0 {
		t.Fatalf("status %#x: %s", status, said)
	}
	must(t, take("the end", true))
	must(t, s.src.unmount())
	if s.dst != s.src {
		must(t, s.dst.unmount())
	}
	return cuts
}

// writeMore does what the kernel may do at any moment. What removes a source is
// written early, what makes its copy is not; but names may be before data.
func (s *site) writeMore(choice *rand.Rand) error {
	if s.dst != s.src && choice.IntN(4) > 0 {
		if err := s.src.sync(); err != nil {
			return err
		}
	}
	if choice.IntN(2) > 0 {
		return s.dst.commit()
	}
	return nil
}

// clone clones the images, unless nothing was written since the last time.
func (s *site) clone(i int, last string) (c *cutOff, now string, err error) {
	disks := []*disk{s.src, s.dst}
	for _, d := range disks {
		written, err := d.written()
		if err != nil {
			return nil, "", err
		}
		now += written + "\n"
	}
	if now == last {
		return nil, now, nil
	}
	c = &cutOff{src: fmt.Sprint(s.src.image, i), dst: fmt.Sprint(s.dst.image, i)}
	if err := s.src.clone(c.src); err != nil || s.dst == s.src {
		return c, now, err
	}
	return c, now, s.dst.clone(c.dst)
}

// inspect says what is wrong after a loss of power, also when the same command
// has been given again.
func (s *site) inspect(t *testing.T, c *cutOff) (problems []string) {
	t.Helper()
	source := &disk{kind: s.src.kind, image: c.src, dir: filepath.Join(s.lab.dir, "source-after")}
	dest := source
	if s.dst != s.src {
		dest = &disk{kind: s.dst.kind, image: c.dst, dir: filepath.Join(s.lab.dir, "dest-after")}
	}
	for _, d := range []*disk{source, dest} {
		must(t, os.MkdirAll(d.dir, 0o755))
		if d.device == "" {
			must(t, d.mount())
		}
	}
	defer func() {
		must(t, source.unmount())
		must(t, os.Remove(c.src))
		if dest != source {
			must(t, dest.unmount())
			must(t, os.Remove(c.dst))
		}
	}()
	from, to := source.dir, s.into(dest.dir)
	problems = append(s.check(t, from, to, c.done), s.checkBackups(t, to)...)
	if len(problems) > 0 || s.options == nil && !s.mv || s.unsynced { // what was lost before it was moved
		return problems
	}
	if s.mv && !s.flat {
		if !s.isWhole(t, from) {
			return nil // the copy is, as was checked
		}
		must(t, os.RemoveAll(filepath.Join(to, "t")))
	}
	if s.remains(t, from) {
		out, err := s.command(filepath.Join(from, "t"), to).CombinedOutput()
		if err != nil {
			problems = append(problems, fmt.Sprintf("the same command again: %v: %s", err, out))
		}
	}
	for _, problem := range s.check(t, from, to, true) {
		problems = append(problems, "the same command again: "+problem)
	}
	if _, err := os.Lstat(filepath.Join(from, "t")); err == nil && !s.copies && !s.flat {
		problems = append(problems, "the same command again: the source is still there")
	}
	for _, dir := range []string{from, to} {
		out, err := exec.Command("find", dir, "-name", ".zcp-*").CombinedOutput()
		if err != nil || len(out) > 0 {
			problems = append(problems, fmt.Sprintf("left: %v %s", err, out))
		}
	}
	return problems
}

// remains reports whether there is anything to be moved.
func (s *site) remains(t *testing.T, from string) bool {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(from, "t"))
	if err != nil {
		if !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return false
	}
	return !s.flat || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !e.IsDir() })
}

// check says what is wrong with the two trees.
func (s *site) check(t *testing.T, from, to string, done bool) (problems []string) {
	t.Helper()
	say := func(n *node, what string) { problems = append(problems, n.path+" "+what) }
	if s.mv && !s.flat && !done && s.isWhole(t, from) {
		return nil
	}
	for i := range s.tree {
		n := &s.tree[i]
		if s.flat && (n.kind == unix.S_IFDIR || strings.Count(n.path, "/") > 1) {
			continue
		}
		src, err := n.look(from, n.path)
		must(t, err)
		dst, err := n.look(to, n.path)
		must(t, err)
		switch {
		case dst == other:
			say(n, "is neither the old file nor the new one at the destination")
		case dst == bare && n.kind == unix.S_IFREG:
			say(n, "has not its attributes at the destination")
		case done && dst != whole:
			say(n, "is not at the destination, or not as it should be")
		case s.unsynced:
		case src == other || src == bare && n.kind != unix.S_IFDIR:
			say(n, "has changed at the source")
		case src == absent && dst != whole:
			say(n, "is whole at neither place")
		case s.copies && src == absent:
			say(n, "is gone")
		}
	}
	return append(problems, widened(s.tree, strings.TrimRight(to, "/"))...)
}

// isWhole reports whether all of the tree is in a directory.
func (s *site) isWhole(t *testing.T, dir string) bool {
	t.Helper()
	for i := range s.tree {
		n := &s.tree[i]
		state, err := n.look(dir, n.path)
		must(t, err)
		if state != whole && !(state == bare && n.kind == unix.S_IFDIR) {
			return false
		}
	}
	return true
}

// checkBackups says which files were replaced without a backup, if there are to
// be some.
func (s *site) checkBackups(t *testing.T, to string) (problems []string) {
	t.Helper()
	if !slices.Contains(s.options, "-b") {
		return nil
	}
	for _, n := range s.tree {
		if !n.old || n.kind == unix.S_IFDIR {
			continue
		}
		now, err := n.look(to, n.path)
		must(t, err)
		backup, err := n.look(to, n.path+"~")
		must(t, err)
		if now != before && backup != before {
			problems = append(problems, n.path+" was replaced, or is gone, without a backup")
		}
	}
	return problems
}
