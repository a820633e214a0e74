package splice_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zeroutils/internal/testfs"

	"golang.org/x/sys/unix"
)

// text is what the sources hold: random, so that a page in the wrong place is
// seen, and in lines, so that a terminal in its usual mode passes it on.
var text = func() []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	p := make([]byte, 6<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = letters[random.Uint32()%64]
		if i%73 == 72 {
			p[i] = '\n'
		}
	}
	return p
}()

// junk is what files hold that a copy is to leave alone.
var junk = bytes.Repeat([]byte("junk. "), 1<<20)

var zeros = make([]byte, len(text))

// A stage is what one copy takes place on: everything that is opened for it
// ends with it.
type stage struct {
	*testing.T
	dir     string // of the files
	sinkDir string // of the sink, where it is another
	device  string // a block device that holds text, to read
	scratch string // another, to write
	sink    int    // a descriptor that a test closes early
	fifos   int    // made so far
	enders  []func()
}

func (s *stage) end() {
	for i := len(s.enders) - 1; i >= 0; i-- {
		s.enders[i]()
	}
	s.enders = nil
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// owns closes a descriptor at the end of the stage.
func (s *stage) owns(fd int, err error) int {
	s.Helper()
	s.must(err)
	s.enders = append(s.enders, func() { unix.Close(fd) })
	return fd
}

func (s *stage) open(name string, flags int) int {
	s.Helper()
	return s.owns(unix.Open(name, flags|unix.O_CLOEXEC, 0o644))
}

// feed writes content in pieces of awkward sizes from a goroutine, and then
// ends the source.
func (s *stage) feed(fd int, content []byte, end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer end()
		for i := 0; len(content) > 0; i++ {
			piece := min(len(content), []int{1, 4097, 65536, 100_000, 511}[i%5])
			n, err := unix.Write(fd, content[:piece])
			switch err {
			case nil:
				content = content[n:]
			case unix.EINTR:
			case unix.EAGAIN: // a terminal, which never says that nobody will read on
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Microsecond):
				}
			default:
				return // the copy has ended early
			}
		}
	}()
	s.enders = append(s.enders, func() { close(stop); <-done })
}

// gather reads fd to its end in a goroutine. The function it returns waits.
func (s *stage) gather(fd int) func() []byte {
	var got bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 50_001)
		for {
			n, err := unix.Read(fd, buf)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 { // EIO is how a terminal's other side ends
				return
			}
			got.Write(buf[:n])
		}
	}()
	return func() []byte {
		<-done
		return got.Bytes()
	}
}

// rest reads what is left in a source, as its next user would.
func (s *stage) rest(fd int) []byte {
	s.Helper()
	var got []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		case err != nil:
			s.Fatal("reading what is left of the source: ", err)
		case n == 0:
			return got
		default:
			got = append(got, buf[:n]...)
		}
	}
}

// A sourceKind opens a source. It returns what can be read there: content, for
// kinds that can hold anything.
type sourceKind struct {
	name string
	most int // bytes, of content
	open func(s *stage, content []byte, offset int64) (fd int, holds []byte)
}

var sourceKinds = []sourceKind{
	{"regular file", len(text), func(s *stage, content []byte, offset int64) (int, []byte) {
		name := filepath.Join(s.dir, "source")
		s.must(os.WriteFile(name, append(junk[:offset:offset], content...), 0o644))
		fd := s.open(name, unix.O_RDONLY)
		unix.Seek(fd, offset, unix.SEEK_SET)
		return fd, content
	}},
	{"procfs file", 20, generatedFile("/proc/version")},
	{"sysfs file", 4, generatedFile("/sys/class/net/lo/address")},
	{"block device", len(text), func(s *stage, content []byte, offset int64) (int, []byte) {
		fd := s.open(s.device, unix.O_RDONLY)
		at := len(text) - len(content) // its end is the device's
		if offset == 0 {
			at &^= 4095
		}
		unix.Seek(fd, int64(at), unix.SEEK_SET)
		return fd, text[at:]
	}},
	{"/dev/zero", len(zeros), func(s *stage, content []byte, _ int64) (int, []byte) {
		return s.open("/dev/zero", unix.O_RDONLY), zeros[:len(content)]
	}},
	{"/dev/null", 0, func(s *stage, _ []byte, _ int64) (int, []byte) {
		return s.open("/dev/null", unix.O_RDONLY), nil
	}},
	{"pipe", len(text), func(s *stage, content []byte, _ int64) (int, []byte) {
		r, w := s.pipe()
		return s.fed(r, w, content)
	}},
	{"FIFO", len(text), func(s *stage, content []byte, _ int64) (int, []byte) {
		r, w := s.fifo()
		return s.fed(r, w, content)
	}},
	{"unix socket", len(text), func(s *stage, content []byte, _ int64) (int, []byte) {
		a, b := s.unixSockets()
		return s.fed(a, b, content)
	}},
	{"TCP socket", len(text), func(s *stage, content []byte, _ int64) (int, []byte) {
		a, b := s.tcpSockets()
		return s.fed(a, b, content)
	}},
	{"terminal", 65537, func(s *stage, content []byte, _ int64) (int, []byte) {
		master, slave := s.terminal()
		typed := append(content[:len(content):len(content)], "\x04\x04"...) // ^D ends the line, ^D ends the input
		if len(content) == 0 || content[len(content)-1] == '\n' {
			typed = typed[:len(typed)-1]
		}
		s.owns(master, unix.SetNonblock(master, true))
		s.feed(master, typed, func() {}) // a terminal that hangs up would lose what was typed
		return s.owns(slave, nil), content
	}},
}

// generatedFile is one whose content the kernel makes up when it is read.
func generatedFile(name string) func(*stage, []byte, int64) (int, []byte) {
	return func(s *stage, _ []byte, offset int64) (int, []byte) {
		content, err := os.ReadFile(name)
		if err != nil {
			testfs.Unavailable(s.T, err.Error())
		}
		fd := s.open(name, unix.O_RDONLY)
		at, err := unix.Seek(fd, offset%9, unix.SEEK_SET)
		s.must(err)
		return fd, content[at:]
	}
}

func (s *stage) fed(r, w int, content []byte) (int, []byte) {
	s.feed(w, content, func() { unix.Close(w) })
	return s.owns(r, nil), content
}

// A sinkKind opens a sink. The function that it returns closes it and returns
// what arrived there, nil where nobody can tell.
type sinkKind struct {
	name string
	most int
	open func(s *stage, size int, offset int64) (fd int, arrived func() []byte)
}

var sinkKinds = []sinkKind{
	{"regular file", len(text), func(s *stage, size int, offset int64) (int, func() []byte) {
		name := filepath.Join(s.sinkDir, "sink")
		before := junk[:0]
		if offset > 0 {
			before = junk[:offset+int64(size)+100]
		}
		s.must(os.WriteFile(name, before, 0o644))
		return s.file(name, unix.O_RDWR, before, offset)
	}},
	{"append file", len(text), func(s *stage, _ int, offset int64) (int, func() []byte) {
		name := filepath.Join(s.sinkDir, "log")
		before := junk[:offset]
		s.must(os.WriteFile(name, before, 0o644))
		fd, arrived := s.file(name, unix.O_WRONLY|unix.O_APPEND, before, offset)
		unix.Seek(fd, 0, unix.SEEK_SET) // whatever its offset, writes go to the end
		return fd, arrived
	}},
	{"block device", len(text), func(s *stage, size int, offset int64) (int, func() []byte) {
		before := junk[:min(offset+int64(size)+100, int64(len(text)))]
		fd := s.open(s.scratch, unix.O_WRONLY)
		_, err := unix.Pwrite(fd, before, 0)
		s.must(err)
		return s.file(s.scratch, unix.O_RDWR, before, offset)
	}},
	{"/dev/null", len(text), func(s *stage, _ int, _ int64) (int, func() []byte) {
		return s.open("/dev/null", unix.O_WRONLY), func() []byte { return nil }
	}},
	{"pipe", len(text), func(s *stage, _ int, _ int64) (int, func() []byte) { return s.gathered(s.pipe()) }},
	{"FIFO", len(text), func(s *stage, _ int, _ int64) (int, func() []byte) { return s.gathered(s.fifo()) }},
	{"unix socket", len(text), func(s *stage, _ int, _ int64) (int, func() []byte) { return s.gathered(s.unixSockets()) }},
	{"TCP socket", len(text), func(s *stage, _ int, _ int64) (int, func() []byte) { return s.gathered(s.tcpSockets()) }},
	{"terminal", 65537, func(s *stage, _ int, _ int64) (int, func() []byte) {
		master, slave := s.terminal()
		mode, err := unix.IoctlGetTermios(slave, unix.TCGETS)
		s.must(err)
		mode.Oflag &^= unix.OPOST // line ends stay as they are
		s.must(unix.IoctlSetTermios(slave, unix.TCSETS, mode))
		out, arrived := s.gathered(master, slave)
		return out, func() []byte {
			// The kernel may lose what is under way when the terminal is closed.
			s.eventually("everything is read", func() bool {
				n, _ := unix.Poll([]unix.PollFd{{Fd: int32(master), Events: unix.POLLIN}}, 0)
				return n == 0
			})
			return arrived()
		}
	}},
}

// file is a sink at an offset of a file that holds before. What lies around
// the bytes that arrived must be there still.
func (s *stage) file(name string, flags int, before []byte, offset int64) (int, func() []byte) {
	fd := s.open(name, flags)
	_, err := unix.Seek(fd, offset, unix.SEEK_SET)
	s.must(err)
	return fd, func() []byte {
		s.Helper()
		end, err := unix.Seek(fd, 0, unix.SEEK_CUR)
		s.must(err)
		end = max(end, offset)
		in := s.open(name, unix.O_RDONLY)
		size := max(end, int64(len(before)))
		after := make([]byte, size+1)
		n, err := unix.Pread(in, after, 0)
		s.must(err)
		if device := name == s.scratch; !device && int64(n) != size {
			s.Errorf("the sink is %d bytes long, its offset is %d", n, end)
		}
		if !bytes.Equal(after[:offset], before[:offset]) {
			s.Error("bytes before the sink's offset have changed")
		}
		if end < int64(len(before)) && !bytes.Equal(after[end:len(before)], before[end:]) {
			s.Error("bytes behind what was delivered have changed")
		}
		return after[offset:end]
	}
}

// gathered is a sink whose other side is read all the while.
func (s *stage) gathered(r, w int) (int, func() []byte) {
	all := s.gather(s.owns(r, nil))
	open := true
	closeSink := func() {
		if open {
			unix.Close(w)
		}
		open = false
	}
	s.enders = append(s.enders, func() { closeSink(); all() })
	return w, func() []byte { closeSink(); return all() }
}

func (s *stage) pipe() (r, w int) {
	s.Helper()
	var fds [2]int
	s.must(unix.Pipe2(fds[:], unix.O_CLOEXEC))
	return fds[0], fds[1]
}

func (s *stage) fifo() (r, w int) {
	s.Helper()
	s.fifos++ // a name of its own: FUSE is late in taking one away that is open
	name := filepath.Join(s.dir, fmt.Sprint("fifo", s.fifos))
	s.must(unix.Mkfifo(name, 0o600))
	defer os.Remove(name)
	keep, err := unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0) // so that neither open waits
	s.must(err)
	defer unix.Close(keep)
	r, err = unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	s.must(err)
	w, err = unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	s.must(err)
	return r, w
}

func (s *stage) unixSockets() (a, b int) {
	s.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	s.must(err)
	return fds[0], fds[1]
}

func (s *stage) tcpSockets() (a, b int) {
	s.Helper()
	const kind = unix.SOCK_STREAM | unix.SOCK_CLOEXEC
	listener, err := unix.Socket(unix.AF_INET, kind, 0)
	s.must(err)
	defer unix.Close(listener)
	s.must(unix.Bind(listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	s.must(unix.Listen(listener, 1))
	address, err := unix.Getsockname(listener)
	s.must(err)
	a, err = unix.Socket(unix.AF_INET, kind, 0)
	s.must(err)
	s.must(unix.Connect(a, address))
	b, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	s.must(err)
	return a, b
}

// terminal returns both sides of a pseudo-terminal without echo.
func (s *stage) terminal() (master, slave int) {
	s.Helper()
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	s.must(err)
	s.must(unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	s.must(err)
	slave, err = unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	s.must(err)
	mode, err := unix.IoctlGetTermios(slave, unix.TCGETS)
	s.must(err)
	mode.Lflag &^= unix.ECHO
	s.must(unix.IoctlSetTermios(slave, unix.TCSETS, mode))
	return master, slave
}
