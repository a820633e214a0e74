package testfs

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// A keeper owns one directory with a mount, and removes both when it is
// released. It is a shell that waits for the end of its input, the other end
// of which only this process has: so it does its work whatever this process
// dies of. It writes nowhere, so that `go test` does not wait for it.
type keeper struct {
	dir   string
	life  io.WriteCloser // closing it is the signal, and the garbage collector closes it
	shell *exec.Cmd
	once  sync.Once
}

// keep unmounts and removes exactly what a keeper's directory holds. A mount
// that is still in use goes when its last user has closed it (umount -l).
const keep = `
cat >/dev/null
umount -l "$1/mnt"
umount -l "$1/base"
rm -f "$1/image"
rmdir "$1/mnt" "$1/base" "$1"
`

// prefix begins the name of every keeper's directory.
const prefix = "zeroutils-testfs-"

func (k *keeper) image() string  { return filepath.Join(k.dir, "image") }
func (k *keeper) target() string { return filepath.Join(k.dir, "mnt") }
func (k *keeper) base() string   { return filepath.Join(k.dir, "base") }

func newKeeper() (*keeper, error) {
	dir, lock, err := lockedDir()
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	k := &keeper{dir: dir}
	for _, name := range []string{k.target(), k.base()} {
		if err := os.Mkdir(name, 0o755); err != nil {
			return nil, err
		}
	}
	return k, k.start(lock)
}

// start hands the lock on to the shell, so that it lasts as long as the keeper.
// A process group of its own keeps it alive when a terminal's ^C ends the tests.
func (k *keeper) start(lock *os.File) (err error) {
	k.shell = exec.Command("/bin/sh", "-c", keep, "testfs-keeper", k.dir)
	k.shell.ExtraFiles = []*os.File{lock}
	k.shell.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	k.shell.Dir = "/"
	if k.life, err = k.shell.StdinPipe(); err != nil {
		return err
	}
	return k.shell.Start()
}

func (k *keeper) release() {
	k.once.Do(func() {
		k.life.Close()
		k.shell.Wait()
	})
}

// lockedDir makes a keeper's directory and locks it against sweep. A sweep of
// another process may have had it before the lock was taken: then it is gone.
func lockedDir() (string, *os.File, error) {
	for {
		dir, err := os.MkdirTemp("", prefix)
		if err != nil {
			return "", nil, err
		}
		lock, err := os.Open(dir)
		if err != nil {
			continue // swept
		}
		if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
			lock.Close()
			return "", nil, err
		}
		if _, err := os.Stat(dir); err == nil {
			return dir, lock, os.Chmod(dir, 0o755)
		}
		lock.Close()
	}
}

// sweep removes, once in the life of a process, what keepers left that were
// killed themselves: directories that nobody holds the lock of.
var sweep = sync.OnceFunc(func() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range dirs {
		lock, err := os.Open(dir)
		if err != nil {
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			exec.Command("/bin/sh", "-c", keep, "testfs-sweep", dir).Run()
		}
		lock.Close()
	}
})
