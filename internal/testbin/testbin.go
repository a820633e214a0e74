// Package testbin gives tests the tools as users have them. What `go test`
// makes of a main package lacks the entry point of package procstart, so it
// does not know which descriptors were closed and which signals were ignored.
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
	if err := lookAtSources(root); err != nil {
		return nil, err
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

// A Build is a way to build a program.
type Build struct {
	Arch    string // a GOARCH; "" is this machine's
	NoEntry bool   // without the entry point of package procstart, as go install does
}

// Program returns the program of the main package in dir, a path that begins
// with "./". Each is built once in a process, and goes with it.
func Program(t testing.TB, dir string, b Build) string {
	t.Helper()
	programs.mu.Lock()
	defer programs.mu.Unlock()
	key := fmt.Sprint(dir, b)
	if name, ok := programs.built[key]; ok {
		return name
	}
	name, err := b.program(dir, len(programs.built))
	if err != nil {
		t.Fatal("testbin: ", err)
	}
	if programs.built == nil {
		programs.built = map[string]string{}
	}
	programs.built[key] = name
	return name
}

var programs struct {
	mu    sync.Mutex
	built map[string]string
}

var programsDir = sync.OnceValues(newKeptDir)

// program builds into a directory of its own, so that the program has the name
// of its package.
func (b Build) program(dir string, number int) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	if err := lookAtSources(root); err != nil {
		return "", err
	}
	kept, err := programsDir()
	if err != nil {
		return "", err
	}
	name := filepath.Join(kept.name, fmt.Sprint(number), filepath.Base(dir))
	cmd := exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-o", name)
	if !b.NoEntry {
		cmd.Args = append(cmd.Args, "-ldflags", "-E zeroutils_start")
	}
	cmd.Args = append(cmd.Args, dir)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // a C linker has an entry point of its own
	if b.Arch != "" {
		cmd.Env = append(cmd.Env, "GOARCH="+b.Arch)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return name, nil
}

// A test starts in the directory of its package, and may go elsewhere.
var packageDir, errPackageDir = os.Getwd()

// moduleRoot is where go.mod is, at or above the package's directory.
func moduleRoot() (string, error) {
	dir, err := packageDir, errPackageDir
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == "/" {
			return "", errors.New("no go.mod above the package's directory")
		}
	}
	return "", err
}

func lookAtSources(root string) error {
	for _, sources := range []string{"cmd", "internal"} {
		if err := lookAt(filepath.Join(root, sources)); err != nil {
			return err
		}
	}
	return nil
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
