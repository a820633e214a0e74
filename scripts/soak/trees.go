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
		words = append(words, pick(s, "--atomic", "--verify", "--sparse=always", "--sparse=never", "--reflink=never", "--nocache", "--resume", "--direct"))
	}
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

// replaceFile copies over a file that somebody reads all the time: with --atomic
// they see the old bytes or the new ones, and nothing else.
func replaceFile(s *site) error {
	old, err := s.file("file", 1<<20)
	if err != nil {
		return err
	}
	contents := [][]byte{old}
	for i := range 2 + s.IntN(5) {
		next, err := s.file(fmt.Sprint("new", i), 1<<20)
		if err != nil {
			return err
		}
		contents = append(contents, next)
	}
	stop, seen := make(chan struct{}), make(chan error, 1)
	go func() { seen <- watchFile(s.path("file"), contents, stop) }()
	for i := range len(contents) - 1 {
		words := []string{"zcp", "--atomic"}
		if s.IntN(2) == 0 {
			words = append(words, pick(s, "--verify", "--fsync", "-p", "--reflink=never"))
		}
		if err := s.run(nil, nil, append(words, fmt.Sprint("new", i), "file")...); err != nil {
			close(stop)
			return err
		}
	}
	close(stop)
	if err := <-seen; err != nil {
		return err
	}
	return s.has(s.path("file"), contents[len(contents)-1])
}

func watchFile(name string, contents [][]byte, stop chan struct{}) error {
	for {
		got, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		known := false
		for _, c := range contents {
			known = known || bytes.Equal(got, c)
		}
		if !known {
			return fmt.Errorf("%s has %d bytes that it never should have", name, len(got))
		}
		select {
		case <-stop:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
}

// resumed kills copies until one is done: nothing but the whole file has its
// name, and nothing else stays.
func resumed(s *site) error {
	data, err := s.file("in", 12<<20)
	if err != nil {
		return err
	}
	to := s.elsewhere("out")
	words := []string{"zcp", "--atomic", "--resume", "--reflink=never", "in", to}
	for range s.IntN(4) {
		if err := s.killed(words); err != nil {
			return err
		}
		if _, err := os.Lstat(to); err == nil {
			if err := s.has(to, data); err != nil {
				return err
			}
		}
	}
	if err := s.run(nil, nil, words...); err != nil {
		return err
	}
	if err := s.has(to, data); err != nil {
		return err
	}
	return noTemporaries(filepath.Dir(to))
}

// killed starts a copy and kills it at some moment.
func (s *site) killed(words []string) error {
	p, err := s.start(nil, nil, words...)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(s.IntN(20_000)) * time.Microsecond)
	_ = p.cmd.Process.Kill() // or it is done
	if status := p.status(); status != 0 && status != 128+int(syscall.SIGKILL) {
		return fmt.Errorf("%s: status %d, said %q", p.line, status, p.said.String())
	}
	return nil
}

func noTemporaries(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, ".zcp-*"))
	if len(left) > 0 {
		return fmt.Errorf("%q stay", left)
	}
	return err
}

// resumedMove kills moves of a tree until one is done: at each moment every file
// is whole in one of the two places.
func resumedMove(s *site) error {
	want, err := s.planted()
	if err != nil {
		return err
	}
	to := s.path("moved")
	if s.other != "" {
		to = filepath.Join(s.other, "moved")
	}
	if err := os.Mkdir(to, 0o755); err != nil { // so that nothing is renamed as a whole
		return err
	}
	words := []string{"zcp", "--move", "--resume", "-T", s.jobs(), "tree", to}
	for range s.IntN(4) {
		if err := s.killed(words); err != nil {
			return err
		}
		for name, w := range want {
			if !w.mode.IsRegular() {
				continue
			}
			source, sourceErr := os.ReadFile(filepath.Join(s.path("tree"), name))
			moved, movedErr := os.ReadFile(filepath.Join(to, name))
			if (sourceErr != nil || !bytes.Equal(source, w.data)) && (movedErr != nil || !bytes.Equal(moved, w.data)) {
				return fmt.Errorf("%q is whole in neither place: %v, %v", name, sourceErr, movedErr)
			}
		}
		if _, err := os.Lstat(s.path("tree")); err != nil {
			break // it was done
		}
	}
	if _, err := os.Lstat(s.path("tree")); err == nil {
		if err := s.run(nil, nil, words...); err != nil {
			return err
		}
	}
	got, err := look(to)
	if err != nil {
		return err
	}
	for name, w := range want {
		if g, ok := got[name]; !ok || g.mode.Type() != w.mode.Type() || !bytes.Equal(g.data, w.data) {
			return fmt.Errorf("%q did not arrive", name)
		}
		s.compared += int64(len(w.data))
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d names have become %d", len(want), len(got))
	}
	return nil
}
