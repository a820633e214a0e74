package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A leaf is what is compared of a file in a tree.
type leaf struct {
	mode  fs.FileMode
	mtime int64
	links uint64
	data  []byte // or where a symbolic link leads
}

// plant makes a tree: directories, files with and without holes, further names,
// symbolic links, FIFOs.
func (s *site) plant(root string) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	dirs, files := []string{root}, []string{}
	for i := range 3 + s.IntN(60) {
		name := filepath.Join(pick(s, dirs...), fmt.Sprintf("%s%d", pick(s, "n", "a b", "-x", "\n", "é", ".zcp-"), i))
		var err error
		switch kind := s.IntN(12); {
		case kind < 2:
			dirs = append(dirs, name)
			err = os.Mkdir(name, pick[fs.FileMode](s, 0o755, 0o700, 0o775))
		case kind == 2:
			err = os.Symlink(pick(s, "nowhere", "..", root), name)
		case kind == 3:
			err = syscall.Mkfifo(name, 0o640)
		case kind == 4 && len(files) > 0:
			err = os.Link(pick(s, files...), name)
		case kind == 5:
			files = append(files, name)
			err = s.sparse(name)
		default:
			files = append(files, name)
			err = os.WriteFile(name, s.data(400_000), pick[fs.FileMode](s, 0o644, 0o600, 0o444, 0o755))
		}
		if err != nil {
			return err
		}
	}
	for _, name := range append(files, dirs...) {
		at := time.Unix(1e9+int64(s.IntN(1e8)), int64(s.IntN(1e9)))
		if err := os.Chtimes(name, at, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) sparse(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for range s.IntN(3) {
		if _, err := f.WriteAt(s.data(70_000), int64(s.IntN(1<<20))); err != nil {
			return err
		}
	}
	return f.Truncate(int64(s.IntN(2 << 20)))
}

// look reads a tree.
func look(root string) (map[string]leaf, error) {
	tree := map[string]leaf{}
	return tree, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		l := leaf{mode: info.Mode(), mtime: info.ModTime().UnixNano()}
		switch {
		case info.Mode().IsRegular():
			l.links = uint64(info.Sys().(*syscall.Stat_t).Nlink)
			l.data, err = os.ReadFile(path)
		case info.Mode()&fs.ModeSymlink != 0:
			var to string
			to, err = os.Readlink(path)
			l.data, l.mtime = []byte(to), 0
		}
		name, _ := filepath.Rel(root, path)
		tree[name] = l
		return err
	})
}

// isTree compares a tree with what was planted.
func (s *site) isTree(root string, want map[string]leaf) error {
	got, err := look(root)
	if err != nil {
		return err
	}
	for name, w := range want {
		g, ok := got[name]
		switch {
		case !ok:
			return fmt.Errorf("%s: %q is missing", root, name)
		case g.mode != w.mode || g.mtime != w.mtime || g.links != w.links:
			return fmt.Errorf("%s: %q is %v, %d, %d links, not %v, %d, %d", root, name, g.mode, g.mtime, g.links, w.mode, w.mtime, w.links)
		case !bytes.Equal(g.data, w.data):
			return fmt.Errorf("%s: %q has other bytes (%d, %d)", root, name, len(g.data), len(w.data))
		}
		s.compared += int64(len(w.data))
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s has %d names, not %d", root, len(got), len(want))
	}
	return nil
}

// elsewhere is a path on the other filesystem, if there is one and chance says
// so.
func (s *site) elsewhere(name string) string {
	if s.other != "" && s.IntN(2) == 0 {
		return filepath.Join(s.other, name)
	}
	return s.path(name)
}

func (s *site) jobs() string { return fmt.Sprint("-j", 1+s.IntN(8)) }

// planted makes a tree below the scene's directory and reads it.
func (s *site) planted() (map[string]leaf, error) {
	if err := s.plant(s.path("tree")); err != nil {
		return nil, err
	}
	return look(s.path("tree"))
}

// copyTree copies a tree, and perhaps copies it once more over the copy.
func copyTree(s *site) error {
	want, err := s.planted()
	if err != nil {
		return err
	}
	to := s.elsewhere("copy")
	words := []string{"zcp", "-aT", s.jobs()}
	for range s.IntN(4) {
		words = append(words, pick(s, "--atomic", "--verify", "--reflink=never", "--resume"))
	}
	// zcp refuses to write holes past the page cache.
	words = append(words, pick(s, "--sparse=auto", "--sparse=always", "--sparse=never", "--nocache", "--direct"))
	for range 1 + s.IntN(2) {
		if err := s.run(nil, nil, append(words, "tree", to)...); err != nil {
			return err
		}
		if err := s.isTree(to, want); err != nil {
			return err
		}
	}
	return s.isTree(s.path("tree"), want)
}

// moveTree moves a tree there and back.
func moveTree(s *site) error {
	return s.moves("zcp", "--move", "-T", s.jobs())
}

// mvTree does the same under mv's name.
func mvTree(s *site) error {
	return s.moves("zmv", "-T")
}

func (s *site) moves(words ...string) error {
	want, err := s.planted()
	if err != nil {
		return err
	}
	at := s.path("tree")
	for i := range 1 + s.IntN(3) {
		to := s.elsewhere(fmt.Sprint("moved", i))
		if err := s.run(nil, nil, append(words, at, to)...); err != nil {
			return err
		}
		if _, err := os.Lstat(at); err == nil {
			return fmt.Errorf("%s is still there", at)
		}
		if err := s.isTree(to, want); err != nil {
			return err
		}
		at = to
	}
	return nil
}
