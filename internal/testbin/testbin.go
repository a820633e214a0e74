// Package testbin gives tests the tools as users have them. What `go test`
// makes of a main package lacks the entry point of package atexec, so it has
// to guess which descriptors were closed and which signals were ignored.
package testbin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Dir returns a directory with every tool that scripts/build.sh makes. They are
// built for the first test of a process that asks, and gone when the process
// is, whatever it dies of.
func Dir(t testing.TB) string {
	t.Helper()
	kept, err := build()
	if err != nil {
		t.Fatal("testbin: ", err)
	}
	return kept.name
}

var build = sync.OnceValues(func() (*keptDir, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	for _, sources := range []string{"cmd", "internal"} {
		if err := lookAt(filepath.Join(root, sources)); err != nil {
			return nil, err
		}
	}
	dir, err := newKeptDir()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(root, "scripts/build.sh"), dir.name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return dir, nil
})

// moduleRoot is where go.mod is, at or above the working directory, which for
// a test is that of its package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == "/" {
			return "", errors.New("no go.mod above the working directory")
		}
	}
	return "", err
}

// lookAt visits all files below dir: `go test` takes an earlier result for a
// new one unless something has changed that the test itself has looked at.
func lookAt(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			_, err = os.Stat(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an editor's temporary file
		}
		return err
	})
}

// A keptDir is a directory that goes with this process. Its keeper is a shell
// that waits for the end of its input, the other end of which only this process
// has. It writes nowhere, so that `go test` does not wait for it.
type keptDir struct {
	name string
	life io.WriteCloser // the garbage collector would close it
}

const keep = `cat >/dev/null; rm -rf "$1"`

func newKeptDir() (*keptDir, error) {
	name, err := os.MkdirTemp("", "zeroutils-testbin-")
	if err != nil {
		return nil, err
	}
	keeper := exec.Command("/bin/sh", "-c", keep, "testbin-keeper", name)
	keeper.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // a terminal's ^C is not for it
	keeper.Dir = "/"
	life, err := keeper.StdinPipe()
	if err == nil {
		err = keeper.Start()
	}
	if err == nil {
		err = os.Chmod(name, 0o755) // tests may run the tools as somebody else
	}
	if err != nil {
		os.RemoveAll(name)
	}
	return &keptDir{name, life}, err
}
