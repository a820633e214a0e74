package splice_test

import (
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// What tests put on a stage, beyond the kinds of the matrix.

// textFile makes a file of n bytes of text, open for reading at 0.
func (s *stage) textFile(name string, n int) int {
	s.Helper()
	name = filepath.Join(s.dir, name)
	s.must(os.WriteFile(name, text[:n], 0o644))
	return s.open(name, unix.O_RDONLY)
}

// emptyFile makes a file, open for reading and writing.
func (s *stage) emptyFile(name string) int {
	s.Helper()
	return s.open(filepath.Join(s.sinkDir, name), unix.O_CREAT|unix.O_TRUNC|unix.O_RDWR)
}

func (s *stage) ownedPipe() (r, w int) {
	s.Helper()
	r, w = s.pipe()
	return s.owns(r, nil), s.owns(w, nil)
}

// closeSink closes the sink that a test has named, once.
func (s *stage) closeSink() {
	if s.sink != 0 {
		unix.Close(s.sink)
	}
	s.sink = 0
}

// content is all of an open file.
func (s *stage) content(fd int) []byte {
	s.Helper()
	var st unix.Stat_t
	s.must(unix.Fstat(fd, &st))
	p := make([]byte, st.Size+1)
	n, err := unix.Pread(fd, p, 0)
	s.must(err)
	return p[:n]
}

// inherited is a second descriptor of the same open file, for a child.
func (s *stage) inherited(fd int) *os.File {
	s.Helper()
	other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	s.must(err)
	f := os.NewFile(uintptr(other), "inherited")
	s.enders = append(s.enders, func() { f.Close() })
	return f
}

// describeInherited describes a descriptor that other processes may have, too.
func (s *stage) describeInherited(fd int) *splice.Descriptor {
	s.Helper()
	d, err := splice.Describe(fd)
	s.must(err)
	return d
}

// An outcome is what a copy returns.
type outcome struct {
	report splice.Report
	err    error
}

// start copies in the background. The function that it returns waits.
func (s *stage) start(dst, src int, o splice.Options) func() outcome {
	s.Helper()
	d, from := s.describe(dst), s.describe(src)
	done := make(chan outcome, 1)
	go func() {
		c := splice.New()
		defer c.Close()
		r, err := c.Copy(d, from, o)
		done <- outcome{r, err}
	}()
	return func() outcome {
		s.Helper()
		select {
		case o := <-done:
			return o
		case <-time.After(patience):
			s.Fatal("the copy does not end")
			panic("unreachable")
		}
	}
}

// patience is how long a test waits for what has to happen.
const patience = 2 * time.Minute

// eventually waits for what another goroutine or process is about to do.
func (s *stage) eventually(what string, is func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if is() {
			return
		}
	}
	s.Fatal("never happened: ", what)
}

// readSome reads what a copy must have written, or will.
func (s *stage) readSome(fd int, p []byte) int {
	s.Helper()
	s.eventually("bytes to read", func() bool {
		n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5)
		return n > 0
	})
	n, err := unix.Read(fd, p)
	if err != nil || n == 0 {
		s.Fatalf("read %d bytes of %d: %v", n, len(p), err)
	}
	return n
}

// unread is the number of bytes in a pipe or socket that nobody has read.
func (s *stage) unread(fd int) int {
	s.Helper()
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	s.must(err)
	return n
}

func mincore(window, pages []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&window[0])), uintptr(len(window)), uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		return errno
	}
	return nil
}
