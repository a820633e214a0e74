package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A soak is a run of scenes.
type soak struct {
	seed   uint64
	tools  string // the directory of the tools and their other names
	root   string // where scenes have their directories
	other  string // the same on another filesystem, or ""
	scenes []scene
	server *server
	watch  watch
	began  time.Time

	mu     sync.Mutex
	played map[string]int
	bytes  int64 // that were compared
}

// A scene is one use of some tools. It returns what is wrong.
type scene struct {
	name string
	play func(*site) error
}

// room bounds what one scene has on disk and in memory at a time.
const room = 48 << 20

// noise is what files consist of: no two parts of it are alike.
var noise = func() []byte {
	data := make([]byte, room/4)
	key := [32]byte{1}
	rand.NewChaCha8(key).Read(data)
	return data
}()

func newSoak(tools string, seed uint64) (*soak, error) {
	s := &soak{seed: seed, played: map[string]int{}, began: time.Now()}
	var err error
	if s.root, err = os.MkdirTemp("", "zeroutils-soak-"); err != nil {
		return nil, err
	}
	if s.other, err = os.MkdirTemp("/dev/shm", "zeroutils-soak-"); err != nil || device(s.other) == device(s.root) {
		os.RemoveAll(s.other)
		s.other = ""
	}
	if err := s.findTools(tools); err != nil {
		s.close()
		return nil, err
	}
	if s.server, err = s.startServer(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// findTools makes a directory with the tools under all their names. A zcp that
// does not know mv's name has no scene of it.
func (s *soak) findTools(from string) error {
	from, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	s.tools = filepath.Join(s.root, "bin")
	if err := os.Mkdir(s.tools, 0o755); err != nil {
		return err
	}
	for name, tool := range map[string]string{
		"zcat": "zcat", "ztee": "ztee", "zcp": "zcp", "zpipe": "zpipe", "zmv": "zcp", "pv": "zpipe",
	} {
		if _, err := os.Stat(filepath.Join(from, tool)); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join(from, tool), filepath.Join(s.tools, name)); err != nil {
			return err
		}
	}
	s.scenes = scenes
	if help, err := exec.Command(filepath.Join(s.tools, "zmv"), "--help").Output(); err != nil || !bytes.Contains(help, []byte("Rename")) {
		s.scenes = slices.DeleteFunc(slices.Clone(scenes), func(s scene) bool { return s.name == asMv })
	}
	return nil
}

func (s *soak) close() {
	if s.server != nil {
		s.server.stop()
	}
	os.RemoveAll(s.root)
	if s.other != "" {
		os.RemoveAll(s.other)
	}
}

// patience is when a scene counts as hanging.
const patience = 2 * time.Minute

// play plays the scene of a number.
func (s *soak) play(number uint64) error {
	rng := rand.New(rand.NewPCG(s.seed, number))
	scene := s.scenes[rng.IntN(len(s.scenes))]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	at := &site{soak: s, ctx: ctx, Rand: rng, dir: filepath.Join(s.root, fmt.Sprint(number))}
	if s.other != "" {
		at.other = filepath.Join(s.other, fmt.Sprint(number))
	}
	for _, dir := range []string{at.dir, at.other} {
		if dir != "" {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			defer os.RemoveAll(dir)
		}
	}
	err := scene.play(at)
	if late := ctx.Err(); late != nil {
		err = fmt.Errorf("it hangs (%w)", cmp.Or(err, late))
	}
	at.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.played[scene.name]++
	s.bytes += at.compared
	if err != nil {
		return fmt.Errorf("scene %d, %s: %w\n  -seed %d -only %d repeats it; it ran:\n    %s",
			number, scene.name, err, s.seed, number, strings.Join(at.ran, "\n    "))
	}
	return nil
}

func (s *soak) summarize(out io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, name := range slices.Sorted(maps.Keys(s.played)) {
		fmt.Fprintf(out, "%8d  %s\n", s.played[name], name)
		total += s.played[name]
	}
	fmt.Fprintf(out, "%d scenes in %.0f s, %d MB compared, %d processes\n",
		total, time.Since(s.began).Seconds(), s.bytes/1e6, s.watch.started())
	s.watch.summarize(out)
	s.server.summarize(out)
}

func device(name string) uint64 {
	var st syscall.Stat_t
	if syscall.Stat(name, &st) != nil {
		return 0
	}
	return uint64(st.Dev)
}
