package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// A testCase is a tree and a command line.
type testCase struct {
	odd   []string // names that may occur
	nodes []node
	args  []string
	env   []string
	umask int
	user  uint32 // who runs the command; 0 is whoever runs the test
	stdin string // answers

	follows bool // symbolic links in directories
	other   bool // some files are on another filesystem, which the link m leads to
}

// A node is a file to be made.
type node struct {
	path  string
	kind  uint32 // unix.S_IFREG and so on, or hardLink
	mode  uint32
	text  string // contents, or the target of a link
	xattr bool   // has extended attributes, and an access control list
	holes bool   // contents, no zeros among them, stand in the middle of nothing
	owner int
}

const hardLink = 1

func (c *testCase) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "as user %d with umask %o, %v and answers %q: %q\n", c.user, c.umask, c.env, c.stdin, c.args)
	for _, n := range c.nodes {
		text := n.text
		if len(text) > 20 {
			text = fmt.Sprintf("%d bytes", len(text))
		}
		fmt.Fprintf(&b, "%q %#o %o %q holes=%v owner=%d xattr=%v\n", n.path, n.kind, n.mode, text, n.holes, n.owner, n.xattr)
	}
	return b.String()
}

// names are few, so that they collide.
var names = []string{"a", "b", "c", "d"}

// oddNames are those of one case. cp puts a name with a single quote and
// something unprintable in quotes that are hard to understand.
var oddNames = [][]string{{"it's", "-r", "a b"}, {"new\nline", "\xff\xfe", "é"}, {"a~", "b.~1~", "b.~9~"}}

// seldom is true once in n times.
func seldom(t *rapid.T, label string, n int) bool {
	choices := make([]bool, n)
	choices[n-1] = true
	return rapid.SampledFrom(choices).Draw(t, label)
}

func (c *testCase) drawName(t *rapid.T, label string) string {
	if !seldom(t, label+" odd", 4) {
		return rapid.SampledFrom(names).Draw(t, label)
	}
	return rapid.SampledFrom(c.odd).Draw(t, label)
}

func drawCase(t *rapid.T, root bool) *testCase {
	c := &testCase{umask: rapid.SampledFrom([]int{0o022, 0, 0o077, 0o027, 0o277}).Draw(t, "umask")}
	if root && rapid.Bool().Draw(t, "unprivileged") {
		c.user = 1234
	}
	c.env = []string{rapid.SampledFrom([]string{"LC_ALL=C", "LC_ALL=C.UTF-8"}).Draw(t, "locale")}
	if seldom(t, "posix", 10) {
		c.env = append(c.env, "POSIXLY_CORRECT=1")
	}
	c.odd = rapid.SampledFrom(oddNames).Draw(t, "odd names")
	options, recursive := drawOptions(t)
	c.follows = recursive && (slices.Contains(options, "-L") || slices.Contains(options, "-l"))
	c.drawNodes(t, recursive, root)
	c.args = append(options, c.drawOperands(t)...)
	c.stdin = rapid.StringMatching(`([yYn]?[a-z]?\n){0,4}y?`).Draw(t, "answers")
	return c
}

// drawNodes draws a tree. Each node is in a directory drawn before it. FIFOs
// are only for recursive copies, which do not read them.
func (c *testCase) drawNodes(t *rapid.T, recursive, root bool) {
	kinds := []uint32{unix.S_IFREG, unix.S_IFREG, unix.S_IFREG, unix.S_IFDIR, unix.S_IFDIR, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFLNK, hardLink}
	if recursive {
		kinds = append(kinds, unix.S_IFIFO, unix.S_IFSOCK)
	}
	if root && c.user == 0 {
		kinds = append(kinds, unix.S_IFCHR)
	}
	dirs, files := []string{"."}, []string{}
	if c.other {
		dirs = append(dirs, elsewhere)
	}
	for i := range rapid.IntRange(1, 14).Draw(t, "nodes") {
		label := fmt.Sprint("node ", i)
		n := node{
			path: filepath.Join(rapid.SampledFrom(dirs).Draw(t, label+" in"), c.drawName(t, label)),
			kind: rapid.SampledFrom(kinds).Draw(t, label+" kind"),
			mode: rapid.SampledFrom([]uint32{0o644, 0o755, 0o600, 0o777, 0o444, 0o000, 0o4755, 0o2711, 0o1777, 0o500, 0o311}).Draw(t, label+" mode"),
		}
		if c.has(n.path) {
			continue
		}
		if root && seldom(t, label+" owned", 3) {
			n.owner = 1234
		}
		if n.kind != unix.S_IFDIR {
			n.mode &^= unix.S_ISGID // which cp -p hands to a new group
		}
		if n.kind == unix.S_IFIFO {
			n.mode &^= unix.S_ISUID // which cp -p leaves if it writes to it
		}
		// Under umask 0277 cp cannot set attributes of the files that it makes.
		n.xattr = c.umask != 0o277 && (n.kind == unix.S_IFREG || n.kind == unix.S_IFDIR) && seldom(t, label+" xattr", 4)
		switch n.kind {
		case unix.S_IFDIR:
			n.mode |= rapid.SampledFrom([]uint32{0o700, 0o700, 0}).Draw(t, label+" access")
			dirs = append(dirs, n.path)
		case unix.S_IFREG:
			n.text = drawText(t, label)
			// What cp 9.1 copies from between holes it searches for more of them; zcp leaves that to the kernel.
			n.holes = !strings.Contains(n.text, "\x00") && seldom(t, label+" holes", 4)
			files = append(files, n.path)
		case unix.S_IFLNK:
			n.text = c.drawTarget(t, label)
		case hardLink:
			beside := slices.DeleteFunc(slices.Clone(files), func(file string) bool { return isElsewhere(file) != isElsewhere(n.path) })
			if len(beside) == 0 {
				continue
			}
			n.text = rapid.SampledFrom(beside).Draw(t, label+" of")
		}
		c.nodes = append(c.nodes, n)
	}
}

// elsewhere is the link to the other filesystem.
const elsewhere = "m"

func isElsewhere(path string) bool { return strings.HasPrefix(path, elsewhere+"/") }

func (c *testCase) has(path string) bool {
	for _, n := range c.nodes {
		if n.path == path {
			return true
		}
	}
	return false
}

// goesThroughLink reports whether a path leads through a symbolic link, or to one.
func (c *testCase) goesThroughLink(path string) bool {
	for _, n := range c.nodes {
		if n.kind == unix.S_IFLNK && strings.HasPrefix(strings.TrimPrefix(path, "./")+"/", n.path+"/") {
			return true
		}
	}
	return false
}

func drawText(t *rapid.T, label string) string {
	size := rapid.SampledFrom([]int{0, 1, 5, 4096, 4097, 60_000}).Draw(t, label+" size")
	unit := rapid.SampledFrom([]string{"x", "some text\n", "\x00", strings.Repeat("\x00", 4096) + strings.Repeat("y", 4096)}).Draw(t, label+" unit")
	return strings.Repeat(unit, size/len(unit)+1)[:size]
}

func (c *testCase) drawTarget(t *rapid.T, label string) string {
	name := c.drawName(t, label+" target")
	forms := []string{name, name, "../" + name, name + "/" + name, "nowhere", "/nonexistent/" + name}
	if !c.follows { // else cp may not end
		forms = append(forms, "..", ".")
	}
	return rapid.SampledFrom(forms).Draw(t, label+" target form")
}

// drawOptions leaves --reflink=always out: there is no tmpfs that can do it,
// and cp 9.1 leaves the empty file behind.
func drawOptions(t *rapid.T) (options []string, recursive bool) {
	if !seldom(t, "not recursive", 4) {
		recursive = true
		options = append(options, rapid.SampledFrom([]string{"-r", "-R", "--recursive"}).Draw(t, "-r"))
	}
	for _, option := range []string{
		"-p", "-f", "-v", "-T", "--sparse=always", "--sparse=never", "--sparse=auto", "--reflink=never", "--reflink=auto",
		"-d", "-H", "-L", "-P", "-l", "-s", "--remove-destination",
		"-u", "-n", "-i", "-b", "--backup=numbered", "--backup=simple", "-S.old",
		"-a", "--preserve=links", "--preserve=xattr", "--preserve=all", "--preserve=mode", "--preserve=timestamps",
		"--preserve=ownership", "--no-preserve=mode", "--no-preserve=all", "--no-preserve=links,timestamps",
		"--attributes-only", "--parents", "-x", "--strip-trailing-slashes",
	} {
		once := 7
		if strings.Contains(option, "preserve=") {
			once = 20
		}
		switch option {
		case "-v", "-p":
			once = 2
		case "--parents", "-x", "--strip-trailing-slashes", "--attributes-only", "-s", "-l", "-n", "-u", "-b", "--backup=numbered", "--backup=simple", "-S.old":
			once = 12
		}
		if seldom(t, option, once) {
			options = append(options, option)
		}
	}
	return options, recursive
}

func (c *testCase) drawOperands(t *rapid.T) (operands []string) {
	if seldom(t, "-t", 8) {
		operands = append(operands, "-t", c.drawOperand(t, "-t directory"))
	}
	operands = append(operands, "--")
	for i := range rapid.SampledFrom([]int{2, 2, 2, 2, 3, 3, 4, 1, 0}).Draw(t, "operands") {
		operands = append(operands, c.drawOperand(t, fmt.Sprint("operand ", i)))
	}
	return operands
}

func (c *testCase) drawOperand(t *rapid.T, label string) string {
	path := c.drawName(t, label+" name")
	if len(c.nodes) > 0 && !seldom(t, label+" new", 5) {
		path = rapid.SampledFrom(c.nodes).Draw(t, label).path
	}
	forms := []string{
		path, path, path, path, path, path, path + "/", path + "//", path + "/.", path + "/..",
		"./" + path, path + "/" + c.drawName(t, label+" below"), "nowhere/" + path, ".", "..", "",
	}
	return rapid.SampledFrom(forms).Draw(t, label+" form")
}

// build makes the tree. It returns descriptors that keep FIFOs open, so that
// writing to one does not wait for a reader.
func (c *testCase) build(t *rapid.T, world string) (fifos []int) {
	for _, n := range c.nodes {
		path := filepath.Join(world, n.path)
		must(t, n.make(path, world))
		if n.kind == unix.S_IFIFO {
			fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
			must(t, err)
			if _, err = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 1<<20); err != unix.EPERM { // the user's pipes are used up
				must(t, err)
			}
			fifos = append(fifos, fd)
		}
	}
	for i := len(c.nodes) - 1; i >= 0; i-- { // directories after what is in them
		must(t, c.nodes[i].finish(filepath.Join(world, c.nodes[i].path), i))
	}
	return fifos
}

func (n *node) make(path, world string) error {
	switch n.kind {
	case unix.S_IFREG:
		return n.write(path)
	case unix.S_IFDIR:
		return os.Mkdir(path, 0o700)
	case unix.S_IFLNK:
		return os.Symlink(n.text, path)
	case hardLink:
		return os.Link(filepath.Join(world, n.text), path)
	}
	return unix.Mknod(path, n.kind|0o600, int(unix.Mkdev(1, 3))) // /dev/null's number, where one counts
}

// write makes a regular file.
func (n *node) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if !n.holes {
		_, err = f.WriteString(n.text)
		return err
	}
	const gap = 100_000
	if _, err := f.WriteAt([]byte(n.text), gap); err != nil {
		return err
	}
	return f.Truncate(int64(2*gap + len(n.text)))
}

// finish sets the attributes: an owner, a mode, and times long ago.
func (n *node) finish(path string, i int) error {
	if n.owner != 0 {
		if err := os.Lchown(path, n.owner, n.owner); err != nil {
			return err
		}
	}
	if n.xattr { // while its owner may still write to it
		if err := setXattrs(path); err != nil {
			return err
		}
	}
	if n.kind != unix.S_IFLNK && n.kind != hardLink {
		if err := unix.Chmod(path, n.mode); err != nil {
			return err
		}
	}
	if n.xattr {
		if err := setACL(path); err != nil {
			return err
		}
	}
	when := unix.NsecToTimespec(time.Date(2001, 1, 1, 0, 0, i, 123456789, time.UTC).UnixNano())
	return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW)
}

// setXattrs gives a file two attributes, one of them for root's eyes only if root
// can set it.
func setXattrs(path string) error {
	_ = unix.Setxattr(path, "trusted.test", nil, 0)
	return unix.Setxattr(path, "user.test", []byte(strings.Repeat("value", 100)), 0)
}

// setACL gives a file a list that lets user 7 read it (acl(5),
// linux/posix_acl_xattr.h).
func setACL(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	list := []byte{2, 0, 0, 0}
	for _, entry := range [][3]uint32{
		{0x01, st.Mode >> 6 & 7, math.MaxUint32}, {0x02, 4, 7}, {0x04, st.Mode >> 3 & 7, math.MaxUint32},
		{0x10, st.Mode>>3&7 | 4, math.MaxUint32}, {0x20, st.Mode & 7, math.MaxUint32},
	} {
		list = binary.LittleEndian.AppendUint16(list, uint16(entry[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(entry[1]))
		list = binary.LittleEndian.AppendUint32(list, entry[2])
	}
	return unix.Setxattr(path, "system.posix_acl_access", list, 0)
}
