package oracle

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

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
