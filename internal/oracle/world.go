package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A World is what surrounds a program when it starts.
type World struct {
	Files  []File
	Stdin  Stdin
	Stdout Stdout
	Env    []string

	names int // drawn
}

// A File is in the directory where the program runs.
type File struct {
	Name string
	Kind FileKind
	Data Data
	Mode fs.FileMode // permissions
}

type FileKind string

const (
	Plain     FileKind = "plain"
	Directory FileKind = "directory"
	Loop      FileKind = "symbolic link to itself"
	Feeding   FileKind = "FIFO that the data comes from"
	Taking    FileKind = "FIFO that is read to its end"
)

// A Stdin is what descriptor 0 is.
type Stdin struct {
	Kind   StdinKind
	Data   Data
	Offset int64 // of FromFile
}

type StdinKind string

const (
	FromPipe      StdinKind = "a pipe"
	FromFile      StdinKind = "a file"
	FromNull      StdinKind = "/dev/null"
	FromDirectory StdinKind = "a directory"
	FromClosed    StdinKind = "closed"
	FromWriteOnly StdinKind = "a file open for writing"
)

// A Stdout is what descriptor 1 is.
type Stdout struct {
	Kind   StdoutKind
	Before Data  // of ToFile and ToAppend
	Offset int64 // of ToFile
}

type StdoutKind string

const (
	ToPipe   StdoutKind = "a pipe"
	ToBroken StdoutKind = "a pipe without a reader"
	ToFile   StdoutKind = "a file"
	ToAppend StdoutKind = "the end of a file"
	ToFull   StdoutKind = "/dev/full"
	ToClosed StdoutKind = "closed"
)

// The names of the files that Stdin and Stdout are.
const (
	StdinFile  = "stdin.data"
	StdoutFile = "stdout.data"
)

// Data is so many bytes. Equal Data are equal bytes.
type Data struct {
	Size int  // at most 4 MiB
	Text bool // lines, with what cat's options are about; otherwise noise
	Seed int  // at most 1000
}

// Bytes returns the bytes, which are not to be changed.
func (d Data) Bytes() []byte {
	all := noise()
	if d.Text {
		all = text()
	}
	return all[d.Seed*1009:][:d.Size]
}

var noise = sync.OnceValue(func() []byte {
	p := make([]byte, 5<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p)
	return p
})

var text = sync.OnceValue(func() []byte {
	p := bytes.Clone(noise())
	for i, c := range p {
		p[i] = textBytes[int(c)%len(textBytes)]
	}
	return p
})

// textBytes is rich in ends of lines, empty lines, tabs, and bytes that are
// shown as ^M, ^[, ^?, M-C or M-^@.
const textBytes = "\n\n\n\n\n\t\t\r\x00\x1b\x7f\x80\xc3\xa9\xff aaabbcde"

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

func (b *built) makeStdin() (err error) {
	var f *os.File
	switch b.Stdin.Kind {
	case FromPipe:
		var w *os.File
		if f, w, err = pipe(); err != nil {
			return err
		}
		b.helpers.Go(func() {
			_, _ = w.Write(b.Stdin.Data.Bytes())
			w.Close()
		})
	case FromFile:
		if err := os.WriteFile(b.path(StdinFile), b.Stdin.Data.Bytes(), 0o644); err != nil {
			return err
		}
		if f, err = os.Open(b.path(StdinFile)); err == nil {
			_, err = f.Seek(b.Stdin.Offset, io.SeekStart)
		}
	case FromNull:
		f, err = os.Open(os.DevNull)
	case FromDirectory:
		f, err = os.Open(b.dir)
	case FromWriteOnly:
		f, err = os.Create(b.path(StdinFile))
	}
	b.files = append(b.files, f)
	return err
}

func (b *built) makeStdout() (err error) {
	var f *os.File
	path := b.path(StdoutFile)
	if kind := b.Stdout.Kind; kind == ToFile || kind == ToAppend {
		if err := os.WriteFile(path, b.Stdout.Before.Bytes(), 0o600); err != nil {
			return err
		}
		if err := b.own(path, 0o644); err != nil {
			return err
		}
	}
	switch b.Stdout.Kind {
	case ToPipe:
		return b.collect(1, &b.stdout)
	case ToBroken:
		var r *os.File
		if r, f, err = pipe(); err == nil {
			r.Close()
		}
	case ToFile:
		if f, err = os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			_, err = f.Seek(b.Stdout.Offset, io.SeekStart)
		}
	case ToAppend:
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	case ToFull:
		f, err = os.OpenFile("/dev/full", os.O_WRONLY, 0)
	}
	b.files = append(b.files, f)
	return err
}

// collect makes the next descriptor, which has the given number, a pipe that is
// read into a buffer.
func (b *built) collect(number int, into *bytes.Buffer) error {
	if len(b.files) != number {
		return fmt.Errorf("descriptor %d is made as number %d", number, len(b.files))
	}
	r, w, err := pipe()
	if err != nil {
		return err
	}
	b.files = append(b.files, w)
	b.helpers.Go(func() {
		_, _ = io.Copy(into, r)
		r.Close()
	})
	return nil
}

// pipe is os.Pipe without O_NONBLOCK.
func pipe() (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

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
	process, err := os.StartProcess(p.Path, append([]string{p.Name}, args...), attr)
	for _, f := range b.files {
		if f != nil {
			f.Close()
		}
	}
	b.files = nil
	if err != nil {
		return Outcome{}, err
	}
	_ = unix.Prlimit(process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: largest, Max: largest}, nil)
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
