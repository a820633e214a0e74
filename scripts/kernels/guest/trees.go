package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// trees has zcp and the system's cp copy a tree with all attributes, and
// compares what either made of it.
func (p *place) trees() {
	tree := p.path("tree")
	p.must(p.plant(tree))
	p.check("zcp -a of a tree, as cp", func() (string, error) {
		ours, theirs := command("zcp", "-a", tree, p.path("ours")), command("/bin/cp", "-a", tree, p.path("theirs"))
		got, err := ours.finish()
		if err != nil {
			return "", err
		}
		want, err := theirs.finish()
		if err != nil {
			return "", err
		}
		said, says := strings.ReplaceAll(ours.said.String(), "zcp:", "cp:"), strings.ReplaceAll(theirs.said.String(), "/bin/cp:", "cp:")
		said = strings.ReplaceAll(said, p.path("ours"), p.path("theirs"))
		if got == 0 && want != 0 { // the better copy is compared with the original
			return "where cp fails", alike(p.path("ours"), tree, "times", "attributes")
		}
		if got != want || said != says {
			return "", fmt.Errorf("status %d: %q; cp: status %d: %q", got, said, want, says)
		}
		return "", alike(p.path("ours"), p.path("theirs"))
	})
	p.check("zcp -r of a tree, by one worker, as cp", func() (string, error) {
		if err := command("zcp", "-r", "-j1", tree, p.path("ours-r")).succeed(); err != nil {
			return "", err
		}
		if err := command("/bin/cp", "-r", tree, p.path("theirs-r")).succeed(); err != nil {
			return "where cp fails", alike(p.path("ours-r"), tree, "times", "attributes")
		}
		return "", alike(p.path("ours-r"), p.path("theirs-r"), "times")
	})
	p.check("zcp --move of a tree from tmpfs", func() (string, error) {
		if err := p.plant("/tmp/moved"); err != nil {
			return "", err
		}
		defer os.RemoveAll("/tmp/moved")
		if err := command("/bin/cp", "-a", "/tmp/moved", p.path("kept")).succeed(); err != nil {
			return "", refusal("cp cannot copy all of it either")
		}
		if err := command("zcp", "--move", "/tmp/moved", p.path("moved")).succeed(); err != nil {
			return "", err
		}
		if _, err := os.Lstat("/tmp/moved"); !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("the source is still there: %v", err)
		}
		return "", alike(p.path("moved"), p.path("kept"))
	})
	for _, dir := range []string{"tree", "ours", "theirs", "ours-r", "theirs-r", "moved", "kept"} {
		os.RemoveAll(p.path(dir))
	}
}

// plant makes a tree that has one of everything that the filesystem can hold.
func (t *try) plant(dir string) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	errs := []error{
		os.MkdirAll(at("a/b/c"), 0o755),
		os.Mkdir(at("empty"), 0o700),
		os.Mkdir(at("closed"), 0o500),
		os.WriteFile(at("a/small"), noise[:100], 0o640),
		os.WriteFile(at("a/page"), noise[:4096], 0o755),
		os.WriteFile(at("a/b/large"), noise[:large], 0o600),
		os.WriteFile(at("a/b/none"), nil, 0o444),
		os.WriteFile(at("a/b/c/ an odd\nname "), noise[:5000], 0o644),
	}
	holes, err := os.Create(at("a/holes"))
	errs = append(errs, err)
	if err == nil {
		_, at1 := holes.WriteAt(noise[:4096], 1<<20)
		_, at2 := holes.WriteAt(noise[:4096], 3<<20)
		errs = append(errs, at1, at2, holes.Truncate(4<<20), holes.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	// What a filesystem has not, such as links on SMB, cp has not either.
	os.Symlink("../a/small", at("empty/link"))
	os.Symlink("nowhere", at("dangling"))
	os.Link(at("a/small"), at("a/b/another"))
	os.Link(at("a/b/large"), at("large too"))
	unix.Mkfifo(at("fifo"), 0o644)
	unix.Setxattr(at("a/page"), "user.note", []byte("of a file"), 0)
	unix.Setxattr(at("a/b"), "user.note", []byte("of a directory"), 0)
	run("setfacl", "-m", "u:1234:r--", at("a/b/large"))
	run("setfacl", "-d", "-m", "g:4321:r-x", at("a/b/c"))
	os.Lchown(at("a/small"), 1000, 1000)
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		when := unix.NsecToTimespec(time.Date(2020, 2, 3, 4, 5, 6, 789_000_000, time.UTC).UnixNano())
		unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW)
		return err
	})
}

// alike says where two trees differ, in anything but what the exceptions name.
func alike(got, want string, except ...string) error {
	a, err := portray(got, except)
	if err != nil {
		return err
	}
	b, err := portray(want, except)
	if err != nil {
		return err
	}
	for name, is := range b {
		if a[name] != is {
			return fmt.Errorf("%q is %q, and cp's copy %q", name, a[name], is)
		}
	}
	for name, is := range a {
		if b[name] == "" {
			return fmt.Errorf("%q is %q, and cp's copy has none", name, is)
		}
	}
	return nil
}

// portray describes each file below a directory in words.
func portray(dir string, except []string) (map[string]string, error) {
	all := map[string]string{}
	firsts := map[uint64]string{} // of inodes with several names
	return all, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		words := []string{fmt.Sprintf("kind %o", st.Mode&unix.S_IFMT)}
		attributes := !slices.Contains(except, "attributes")
		if attributes {
			words = append(words, fmt.Sprintf("mode %o owner %d:%d", st.Mode, st.Uid, st.Gid))
		}
		if attributes && !entry.IsDir() {
			words = append(words, fmt.Sprintf("%d links", st.Nlink))
			if st.Nlink > 1 {
				if firsts[st.Ino] == "" {
					firsts[st.Ino] = name
				}
				words = append(words, "of "+firsts[st.Ino])
			}
		}
		if !slices.Contains(except, "times") {
			words = append(words, fmt.Sprintf("time %d.%09d", st.Mtim.Sec, st.Mtim.Nsec))
		}
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			words = append(words, "to "+to)
		} else if attributes {
			words = append(words, xattrs(path))
		}
		if st.Mode&unix.S_IFMT == unix.S_IFREG {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			words = append(words, fmt.Sprintf("%d bytes, %d of noise", len(data), matching(data)))
		}
		all[name] = strings.Join(words, ", ")
		return nil
	})
}

// matching counts the 4 KiB blocks of a planted file that are as they were
// made: noise or zeros.
func matching(data []byte) (n int) {
	zeros := make([]byte, 4096)
	for at := 0; at < len(data); at += 4096 {
		block := data[at:min(at+4096, len(data))]
		if bytes.Equal(block, noise[at:at+len(block)]) || bytes.Equal(block, zeros[:len(block)]) || bytes.Equal(block, noise[:len(block)]) {
			n += len(block)
		}
	}
	return n
}

// xattrs describes the extended attributes, the access control lists among
// them.
func xattrs(path string) string {
	list := make([]byte, 64<<10)
	n, err := unix.Listxattr(path, list)
	if err != nil {
		return "no xattrs"
	}
	var words []string
	for name := range strings.SplitSeq(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
		value := make([]byte, 64<<10)
		if n, err := unix.Getxattr(path, name, value); err == nil && !strings.HasPrefix(name, "system.cifs") && !strings.HasPrefix(name, "system.nfs4") {
			words = append(words, fmt.Sprintf("%s=%x", name, value[:n]))
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
