package powerloss

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testbin"
	"zeroutils/internal/testfs"
)

// belongings are the files of a tree that others use while it is moved. Each has
// contents that no other has, and another length.
var belongings = []string{"a", "b", "sub/c", "sub/d"}

func contentsOf(name string) string { return strings.Repeat(name+"\n", 1000+len(name)) }

// A meddler does something to a file while zcp stands still.
type meddler struct {
	name string
	// prepare, if set, is called for each file before zcp starts.
	prepare func(m *meddling, name string) error
	// do returns contents that must be somewhere from then on, and whether the
	// file's own need not be.
	do func(m *meddling, name string) (gained string, dropped bool, err error)
}

// A meddling is one run that somebody meddles with.
type meddling struct {
	from, to string // the trees
	alien    string // a directory that is nobody's business
	zcp      string
	mapped   map[string][]byte // the files that were mapped before zcp started
}

const alienText = "somebody else's\n"

var meddlers = []meddler{
	{name: "writes", do: func(m *meddling, name string) (string, bool, error) {
		f, err := os.OpenFile(filepath.Join(m.from, name), os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return "", false, gone(err)
		}
		defer f.Close()
		text := "written to " + name + "\n"
		_, err = f.WriteString(text)
		return text, true, err
	}},
	{name: "writes through a mapping", do: func(m *meddling, name string) (string, bool, error) {
		f, err := os.OpenFile(filepath.Join(m.from, name), os.O_RDWR, 0)
		if err != nil {
			return "", false, gone(err)
		}
		defer f.Close()
		size := len(contentsOf(name))
		data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return "", false, err
		}
		defer unix.Munmap(data)
		data[size/2] = 'M'
		return string(data), true, nil
	}},
	{name: "writes through a mapping that was written to before", prepare: func(m *meddling, name string) error {
		f, err := os.OpenFile(filepath.Join(m.from, name), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := unix.Mmap(int(f.Fd()), 0, len(contentsOf(name)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		m.mapped[name] = data
		for i := range data { // every page is dirty, and may be stored to without a fault
			data[i] = contentsOf(name)[i]
		}
		return nil
	}, do: func(m *meddling, name string) (string, bool, error) {
		if _, err := os.Lstat(filepath.Join(m.from, name)); err != nil {
			return "", false, gone(err)
		}
		m.mapped[name][len(m.mapped[name])/2] = 'M'
		return string(m.mapped[name]), true, nil
	}},
	{name: "truncates", do: func(m *meddling, name string) (string, bool, error) {
		err := os.Truncate(filepath.Join(m.from, name), 3)
		return "", err == nil, gone(err)
	}},
	{name: "deletes", do: func(m *meddling, name string) (string, bool, error) {
		err := os.Remove(filepath.Join(m.from, name))
		return "", err == nil, gone(err)
	}},
	{name: "renames", do: func(m *meddling, name string) (string, bool, error) {
		path := filepath.Join(m.from, name)
		return "", false, gone(os.Rename(path, path+".new"))
	}},
	{name: "puts another file in its place", do: func(m *meddling, name string) (string, bool, error) {
		path := filepath.Join(m.from, name)
		if _, err := os.Lstat(path); err != nil {
			return "", false, gone(err)
		}
		text := "instead of " + name + "\n"
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			return "", false, gone(err)
		}
		return text, true, os.Rename(path+".new", path)
	}},
	{name: "makes a new file", do: func(m *meddling, name string) (string, bool, error) {
		text := "beside " + name + "\n"
		err := os.WriteFile(filepath.Join(m.from, name)+".beside", []byte(text), 0o600)
		if err != nil {
			return "", false, gone(err)
		}
		return text, false, nil
	}},
	{name: "swaps the directory among the sources for a link", do: func(m *meddling, name string) (string, bool, error) {
		return "", false, m.swap(filepath.Join(m.from, "sub"))
	}},
	{name: "swaps the directory at the destination for a link", do: func(m *meddling, name string) (string, bool, error) {
		return "", false, m.swap(filepath.Join(m.to, "sub"))
	}},
	{name: "moves the same", do: func(m *meddling, name string) (string, bool, error) {
		_ = exec.Command(m.zcp, "--move", "-T", m.from, m.to).Run() // it may find that something is gone
		return "", false, nil
	}},
}

// gone is nil for a file that was not there any more.
func gone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func (m *meddling) swap(dir string) error {
	if st, err := os.Lstat(dir); err != nil || !st.IsDir() {
		return gone(err)
	}
	if err := os.Rename(dir, dir+".was"); err != nil {
		return err
	}
	return os.Symlink(m.alien, dir)
}

// Who writes, deletes, renames or moves at the wrong moment loses nothing but
// what he has thrown away himself. Each moment between two steps is tried, in the
// short round some for each meddler.
func TestAMoveSurvivesOthers(t *testing.T) {
	testfs.NeedRoot(t)
	zcp := filepath.Join(testbin.Dir(t), "zcp")
	disk := newLab(t).newDisk(t, "ext4", "source")
	every := 7
	if rounds(t) > 0 {
		every = 1
	}
	for i, who := range meddlers {
		t.Run(who.name, func(t *testing.T) {
			each := every
			if who.prepare != nil {
				each = 1 // the store has to come while its file is copied
			}
			for at := i % each; ; at += each {
				if !who.meddle(t, disk, zcp, at) {
					return
				}
			}
		})
	}
}

// meddle moves a tree, and lets somebody meddle after the given step. It returns
// false if there are not that many.
func (who *meddler) meddle(t *testing.T, disk *disk, zcp string, at int) bool {
	t.Helper()
	dest := testfs.Shared(t, "tmpfs")
	source, err := os.MkdirTemp(disk.dir, "")
	must(t, err)
	defer os.RemoveAll(source)
	m := &meddling{from: filepath.Join(source, "t"), to: filepath.Join(dest, "t"), alien: filepath.Join(source, "alien"), zcp: zcp, mapped: map[string][]byte{}}
	defer func() {
		for _, data := range m.mapped {
			must(t, unix.Munmap(data))
		}
	}()
	for _, dir := range []string{m.from, filepath.Join(m.from, "sub"), m.alien} {
		must(t, os.Mkdir(dir, 0o755))
	}
	wanted := map[string]bool{}
	for _, name := range belongings {
		must(t, os.WriteFile(filepath.Join(m.from, name), []byte(contentsOf(name)), 0o644))
		wanted[contentsOf(name)] = true
		must(t, os.WriteFile(filepath.Join(m.alien, filepath.Base(name)), []byte(alienText), 0o644))
		if who.prepare != nil {
			must(t, who.prepare(m, name))
		}
	}
	log, err := os.Create(filepath.Join(source, "log"))
	must(t, err)
	defer log.Close()
	cmd := exec.Command(zcp, "--move", "-j1", "-T", m.from, m.to)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	step, meddled := 0, false
	_, err = trace(cmd, func(call string) error {
		if step++; step-1 != at {
			return nil
		}
		meddled = true
		name := belongings[at%len(belongings)]
		gained, dropped, err := who.do(m, name)
		if dropped {
			delete(wanted, contentsOf(name))
		}
		if gained != "" {
			wanted[gained] = true
		}
		return err
	})
	must(t, err)
	if !meddled {
		return false
	}
	when := fmt.Sprintf("after step %d", at)
	for text := range missing(t, wanted, m.from, m.to) {
		said, _ := os.ReadFile(log.Name())
		t.Errorf("%s: nowhere: %.20q\n%s", when, text, said)
	}
	entries, err := os.ReadDir(m.alien)
	must(t, err)
	if len(entries) != len(belongings) {
		t.Errorf("%s: in the other directory are %v", when, entries)
	}
	for _, entry := range entries {
		if text, err := os.ReadFile(filepath.Join(m.alien, entry.Name())); string(text) != alienText {
			t.Errorf("%s: the other directory's %s is %.20q, %v", when, entry.Name(), text, err)
		}
	}
	return true
}

// missing are those of the contents that no file in the trees has.
func missing(t *testing.T, wanted map[string]bool, trees ...string) map[string]bool {
	t.Helper()
	for _, tree := range trees {
		_ = filepath.WalkDir(tree, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				text, err := os.ReadFile(path)
				must(t, err)
				delete(wanted, string(text))
			}
			return nil
		})
	}
	return wanted
}
