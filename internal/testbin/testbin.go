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
	dir, err := build()
	if err != nil {
		t.Fatal("testbin: ", err)
	}
	return dir
}

var build = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	for _, sources := range []string{"cmd", "internal"} {
		if err := lookAt(filepath.Join(root, sources)); err != nil {
			return "", err
		}
	}
	dir, err := keptDir()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(filepath.Join(root, "scripts/build.sh"), dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, out)
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

// The keeper of the directory is a shell that waits for the end of its input,
// the other end of which only this process has. It writes nowhere, so that
// `go test` does not wait for it.
const keep = `cat >/dev/null; rm -rf "$1"`

// life is referred to for as long as the process lives: the garbage collector
// would close it.
var life io.WriteCloser

func keptDir() (string, error) {
	dir, err := os.MkdirTemp("", "zeroutils-testbin-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // tests may run the tools as somebody else
		return "", err
	}
	keeper := exec.Command("/bin/sh", "-c", keep, "testbin-keeper", dir)
	keeper.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // a terminal's ^C is not for it
	keeper.Dir = "/"
	if life, err = keeper.StdinPipe(); err == nil {
		err = keeper.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
	}
	return dir, err
}
