package oracle

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// largest is the size in bytes beyond which no file may grow: a program that
// copies a file onto itself without end must not fill the disk.
const largest = 256 << 20

func (b *built) run(p Program, args []string) (Outcome, error) {
	attr := &os.ProcAttr{
		Dir: b.dir, Env: append([]string{"PATH=/usr/bin:/bin"}, b.Env...), Files: b.files,
		Sys: &syscall.SysProcAttr{},
	}
	if os.Geteuid() == 0 {
		attr.Sys.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	process, err := startLimited(p.Path, append([]string{p.Name}, args...), attr)
	for _, f := range b.files {
		if f != nil {
			f.Close()
		}
	}
	b.files = nil
	if err != nil {
		return Outcome{}, err
	}
	var hung atomic.Bool
	timer := time.AfterFunc(patience, func() { hung.Store(true); _ = process.Kill() })
	state, err := process.Wait()
	timer.Stop()
	b.end()
	if err == nil && hung.Load() {
		err = errHangs
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("%s %q: %w", p.Path, args, err)
	}
	files, err := b.list()
	return Outcome{state.String(), b.stdout.Bytes(), b.stderr.String(), files}, err
}

// startLimited starts a process whose files have a largest size. The limit is
// this process's own for that moment: that of another user's takes more than
// being root in some containers.
func startLimited(path string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		return nil, err
	}
	limited := unix.Rlimit{Cur: min(largest, before.Max), Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limited); err != nil {
		return nil, err
	}
	process, err := os.StartProcess(path, argv, attr)
	if e := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err == nil {
		err = e
	}
	return process, err
}

// end lets the helpers come to theirs.
func (b *built) end() {
	close(b.ended)
	for _, f := range b.holds {
		f.Close()
	}
	b.holds = nil
	b.helpers.Wait()
}

// list is what is in the directory.
func (b *built) list() (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(b.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(strings.TrimPrefix(path, b.dir), "/")
		var content []byte
		if info.Mode().IsRegular() {
			_ = os.Chmod(path, 0o600) // for who is not root
			content, err = os.ReadFile(path)
		} else if taken := b.taken[name]; taken != nil {
			content = taken.Bytes()
		}
		found[name] = info.Mode().String() + " " + string(content)
		return err
	})
	return found, err
}

func (b *built) remove() {
	for _, f := range append(b.files, b.holds...) {
		if f != nil {
			f.Close()
		}
	}
	os.RemoveAll(b.dir)
}
