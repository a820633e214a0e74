package filecopy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A run is a Copier and all that it told.
type run struct {
	*Copier
	problems []*Problem
	copied   []string
	removed  []string
	// during is called before each file is copied, and for each new directory.
	during func(source string)
}

func newRun(t *testing.T, o Options) *run {
	r := &run{}
	r.Copier = New(o, Listener{Tell: r.hear})
	t.Cleanup(r.Close)
	return r
}

func (r *run) hear(e Event) {
	switch e := e.(type) {
	case *Problem:
		r.problems = append(r.problems, e)
	case Copying:
		r.copied = append(r.copied, e.Source)
		if r.during != nil {
			r.during(e.Source)
		}
	case Removed:
		r.removed = append(r.removed, e.Dest)
	}
}

// failing fails the test if there are problems.
func failing(t *testing.T) Listener {
	return Listener{Tell: func(e Event) {
		if p, ok := e.(*Problem); ok {
			t.Error(p)
		}
	}}
}

// clean fails the test if there were problems.
func (r *run) clean(t *testing.T) {
	t.Helper()
	for _, p := range r.problems {
		t.Error(p)
	}
}

// only fails the test unless there was this problem and no other.
func (r *run) only(t *testing.T, want What, err error) *Problem {
	t.Helper()
	if len(r.problems) != 1 || r.problems[0].What != want {
		t.Fatalf("problems %v, want one: %s", r.problems, messages[want].text)
	}
	if got := r.problems[0]; err != nil && !strings.Contains(got.Err.Error(), err.Error()) {
		t.Fatalf("%v, want %v", got, err)
	}
	return r.problems[0]
}

func recursive() Options { return Options{Recursive: true, Links: CopyLinks} }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mkdir(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func stat(t *testing.T, path string) *unix.Stat_t {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &st
}

// descriptors is how many this process has open.
func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
