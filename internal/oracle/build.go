package oracle

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A built is a world that exists.
type built struct {
	World
	dir     string
	files   []*os.File // the three descriptors; nil is a closed one
	helpers sync.WaitGroup
	ended   chan struct{} // closed when the program has ended
	stdout  bytes.Buffer
	stderr  bytes.Buffer
	taken   map[string]*bytes.Buffer // from FIFOs
	holds   []*os.File               // keep FIFOs open until the program has ended
}

// nobody has few rights everywhere.
const nobody = 65534

func (w World) build() (b *built, err error) {
	b = &built{World: w, ended: make(chan struct{}), taken: map[string]*bytes.Buffer{}}
	if b.dir, err = os.MkdirTemp("", "zeroutils-oracle-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.remove()
		}
	}()
	if err := b.own(b.dir, 0o755); err != nil {
		return nil, err
	}
	for _, f := range w.Files {
		if err := b.makeFile(f); err != nil {
			return nil, err
		}
	}
	return b, errors.Join(b.makeStdin(), b.makeStdout(), b.collect(2, &b.stderr))
}

func (b *built) path(name string) string { return filepath.Join(b.dir, name) }

// own gives a file its permissions, and to who will run the programs.
func (b *built) own(path string, mode fs.FileMode) error {
	if err := os.Chmod(path, mode); err != nil || os.Geteuid() != 0 {
		return err
	}
	return os.Chown(path, nobody, nobody)
}

func (b *built) makeFile(f File) error {
	path := b.path(f.Name)
	var err error
	switch f.Kind {
	case Plain:
		err = os.WriteFile(path, f.Data.Bytes(), 0o600)
	case Directory:
		err = os.Mkdir(path, 0o700)
	case Loop:
		return os.Symlink(f.Name, path)
	case Feeding:
		if err = unix.Mkfifo(path, 0o600); err == nil {
			b.helpers.Go(func() { b.feedFifo(path, f.Data.Bytes()) })
		}
	case Taking:
		if err = unix.Mkfifo(path, 0o600); err == nil {
			err = b.takeFifo(f.Name)
		}
	}
	return errors.Join(err, b.own(path, f.Mode))
}

// feedFifo writes to a FIFO once somebody has opened it for reading.
func (b *built) feedFifo(path string, data []byte) {
	for {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			_ = unix.SetNonblock(fd, false)
			f := os.NewFile(uintptr(fd), path)
			_, _ = f.Write(data) // EPIPE: it was not read to its end
			f.Close()
			return
		}
		select {
		case <-b.ended:
			return
		case <-time.After(200 * time.Microsecond):
		}
	}
}

// takeFifo reads a FIFO until the program has ended and nothing is left.
func (b *built) takeFifo(name string) error {
	hold, err := os.OpenFile(b.path(name), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	b.holds = append(b.holds, hold)
	fd, err := unix.Open(b.path(name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	r := os.NewFile(uintptr(fd), name)
	taken := &bytes.Buffer{}
	b.taken[name] = taken
	b.helpers.Go(func() {
		_, _ = io.Copy(taken, r)
		r.Close()
	})
	return nil
}
