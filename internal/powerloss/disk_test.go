package powerloss

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

// A lab is a filesystem that can share blocks, for images and for what is
// mounted of them. Its directory goes with everything in it when the test ends,
// whatever of a failure or a signal.
type lab struct{ dir string }

func newLab(t *testing.T) *lab {
	for _, program := range []string{"mount", "umount"} {
		testfs.Need(t, program)
	}
	t.Setenv("TMPDIR", testfs.MountSized(t, "tmpfs", 2<<30)) // no disk is to wait for
	return &lab{testfs.MountSized(t, "xfs", 8<<30)}          // the image is sparse
}

// A disk is a filesystem in an image.
type disk struct {
	kind, image string
	dir         string // where it is mounted
	device      string // by which loop device
	journal     *os.File
}

// makers make the filesystems. Nothing is written later in the background.
var makers = map[string]struct {
	size    int64
	command []string
	options string // of mount(8)
}{
	"ext4":  {32 << 20, []string{"mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"}, "loop,noinit_itable"},
	"xfs":   {512 << 20, []string{"mkfs.xfs", "-q", "-K"}, "loop,nouuid"},
	"btrfs": {256 << 20, []string{"mkfs.btrfs", "-q", "-K"}, "loop"},
}

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w: %s", name, args, err, out)
	}
	return nil
}

// newDisk makes a filesystem and mounts it.
func (l *lab) newDisk(t *testing.T, kind, name string) *disk {
	t.Helper()
	maker := makers[kind]
	testfs.Need(t, maker.command[0])
	d := &disk{kind: kind, image: filepath.Join(l.dir, name+".image"), dir: filepath.Join(l.dir, name)}
	must(t, os.WriteFile(d.image, nil, 0o600))
	must(t, os.Truncate(d.image, maker.size))
	must(t, run(maker.command[0], append(maker.command[1:len(maker.command):len(maker.command)], d.image)...))
	must(t, os.MkdirAll(d.dir, 0o755))
	must(t, d.mount())
	return d
}

func (d *disk) mount() error {
	if err := run("mount", "-o", makers[d.kind].options, d.image, d.dir); err != nil {
		return err
	}
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	dir := strings.ReplaceAll(d.dir, " ", `\040`)
	for line := range strings.Lines(string(table)) {
		if device, rest, _ := strings.Cut(line, " "); strings.HasPrefix(rest, dir+" ") {
			d.device = device
		}
	}
	return nil
}

// unmount is also for what is not mounted.
func (d *disk) unmount() error {
	if d.journal != nil {
		d.journal.Close()
		d.journal = nil
	}
	return run("umount", d.dir)
}

// written counts what the disk has been given.
func (d *disk) written() (string, error) {
	text, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(d.device), "stat"))
	fields := strings.Fields(string(text))
	if err == nil && len(fields) < 7 {
		err = errors.New("no counts of " + d.device)
	}
	if err != nil {
		return "", err
	}
	return fields[4] + " writes, " + fields[6] + " sectors", nil
}

// sync has the disk hold all that there is.
func (d *disk) sync() error { return d.with(unix.Syncfs) }

// commit has the disk hold all names, as far as the filesystem can do that
// without writing the data of files.
func (d *disk) commit() (err error) {
	if d.kind == "btrfs" { // whose transactions write data first
		return nil
	}
	if d.journal == nil {
		if d.journal, err = os.Create(filepath.Join(d.dir, ".commit")); err != nil {
			return err
		}
	}
	if _, err := d.journal.WriteAt([]byte("x"), 0); err != nil {
		return err
	}
	return d.journal.Sync()
}

func (d *disk) with(call func(fd int) error) error {
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return call(int(f.Fd()))
}

// clone has the image's blocks in a new file, as they are now.
func (d *disk) clone(to string) error {
	from, err := os.Open(d.image)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.IoctlFileClone(int(f.Fd()), int(from.Fd()))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
