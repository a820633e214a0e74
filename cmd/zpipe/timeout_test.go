package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

func TestSilentAndStuckPeersEndWithTheTimeout(t *testing.T) {
	t.Parallel()
	l := connectingTo(t, "tcp")
	message := "zpipe: " + l.operand + ": Connection timed out\n"

	p := launch(t, withPipes, "--timeout=0.2", l.operand, "-") // says nothing
	defer accept(t, l.Listener).Close()
	p.ended(1, message)

	p = launch(t, nil, "--timeout=0.2", "/dev/zero", l.operand) // reads nothing
	defer accept(t, l.Listener).Close()
	p.ended(1, message)

	p = launch(t, nil, "--both", "--timeout=0.2", "-", l.operand) // is half-open, as the source has ended
	_ = hear(t, accept(t, l.Listener))
	p.ended(1, message)
}

// inTime makes an attempt that has to keep within a timeout itself, until one
// has: on a machine that stands still now and then the others tell nothing.
func inTime(t *testing.T, attempt func() (inTime bool)) {
	t.Helper()
	for range 20 {
		if attempt() {
			return
		}
	}
	t.Error("this machine is never in time")
}

// A pace is that of somebody who may not be silent for longer than a limit.
type pace struct {
	last  time.Time
	limit time.Duration
	slow  bool
}

func newPace(limit time.Duration) *pace { return &pace{last: time.Now(), limit: limit} }

// kept notes that something was done, and reports whether it has always been in
// time.
func (p *pace) kept() bool {
	now := time.Now()
	p.slow = p.slow || now.Sub(p.last) >= p.limit
	p.last = now
	return !p.slow
}

func TestTheTimeoutIsOfBothDirectionsTogether(t *testing.T) {
	t.Parallel()
	inTime(t, func() bool {
		l := connectingTo(t, "tcp")
		pace := newPace(time.Second)
		p := launch(t, withPipes, "--both", "--timeout=1", "-", l.operand)
		c := accept(t, l.Listener)
		heard := make(chan []byte, 1)
		go func() { got, _ := io.ReadAll(p.stdout); heard <- got }() // a user beyond the pipe allowance has pipes of two slots
		for range 15 {                                               // the other way is silent for longer than the limit
			time.Sleep(100 * time.Millisecond)
			if _, err := c.Write([]byte(".")); !pace.kept() {
				return false
			} else if err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
		p.stdin.Close()
		if !pace.kept() {
			return false
		}
		if got := <-heard; len(got) != 15 {
			t.Errorf("%q", got)
		}
		p.ended(0, "")
		return true
	})
}

func TestConnectingIsGivenUpAfterTheTimeout(t *testing.T) {
	t.Parallel()
	// A queue that is full answers no more.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	defer dial(t, "tcp", address).Close()
	p := launch(t, nil, "--timeout=0.3", "tcp:"+address, "/dev/null")
	p.ended(1, "zpipe: tcp:"+address+": Connection timed out\n")
}

// However long the source or the sink has been waited for.
func TestTheTimeoutBeginsWithTheRelay(t *testing.T) {
	t.Parallel()
	inTime(t, func() bool {
		path := socketPath(t)
		p := launch(t, withPipes, "--timeout=1", "unix-listen:"+path, "-")
		waitFor(t, "the socket", func() bool { _, err := os.Stat(path); return err == nil })
		time.Sleep(1100 * time.Millisecond)
		pace := newPace(time.Second)
		c := dial(t, "unix", path)
		time.Sleep(50 * time.Millisecond)
		if _, err := c.Write([]byte("late")); !pace.kept() {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if got := hear(t, p.stdout); string(got) != "late" {
			t.Errorf("%q arrived", got)
		}
		p.ended(0, "")
		return true
	})
}

// Nothing moves while a process is stopped, but that is nobody's silence.
func TestWhatHasArrivedWhileItWasStoppedIsInTime(t *testing.T) {
	t.Parallel()
	for _, option := range []string{"", "--both --linger=1000"} { // with a way back that is silent for longer
		inTime(t, func() bool {
			l := connectingTo(t, "unix")
			pace := newPace(time.Second)
			p := launch(t, withPipes, append(strings.Fields(option), "--timeout=1", l.operand, "-")...)
			c := accept(t, l.Listener)
			_ = p.cmd.Process.Signal(unix.SIGSTOP)
			waitFor(t, "it to stop", func() bool { return p.state() == "T" || p.state() == "" })
			if !pace.kept() {
				return false
			}
			say(t, c, []byte("meanwhile"))
			time.Sleep(1100 * time.Millisecond)
			goesOn := time.Now()
			p.signal(unix.SIGCONT)
			if got := hear(t, p.stdout); string(got) != "meanwhile" {
				t.Errorf("%s: %q arrived", option, got)
			}
			if option == "" {
				p.ended(0, "")
			} else if p.wait(); time.Since(goesOn) < time.Second {
				t.Errorf("it was given up %v after it went on: %q", time.Since(goesOn), p.said.text())
			}
			return true
		})
	}
}

// The process may have been stopped, and the silent way be the first to go on.
func TestASilentWayGivesTheOtherTimeToMove(t *testing.T) {
	looks := 0
	set := &settings{both: true}
	r := set.newRelay(nil)
	r.idle = newIdleClock(time.Hour)
	r.idle.start = time.Now().Add(-2 * time.Hour)
	r.policy = polled{single{set}, func(fds []unix.PollFd) {
		switch looks++; looks {
		case 2: // the other way finds something
			r.idle.moved()
		case 3:
			fds[0].Revents = unix.POLLIN
		}
	}}
	source := &endpoint.Stream{In: &splice.Descriptor{FD: 0}}
	w := r.newWaiter(source, &endpoint.Stream{Out: &splice.Descriptor{FD: 1}})
	if result, err := w.until(0, unix.POLLIN, -1); result != ready || err != nil {
		t.Errorf("%v, %v after %d looks", result, err, looks)
	}
	looks, r.idle.start = 3, time.Now().Add(-4*time.Hour) // and nothing any more
	if result, err := w.until(0, unix.POLLIN, -1); result != silent || err != nil {
		t.Error(result, err)
	}
}

// A polled relay is told by a function what has happened.
type polled struct {
	single
	happens func(fds []unix.PollFd)
}

func (p polled) poll(fds []unix.PollFd, _ time.Duration) (int, error) {
	p.happens(fds)
	return 0, nil
}

// state is what proc_pid_stat(5) calls it, "" of a process that is no more.
func (p *process) state() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[:1]
}

// What goes into a buffer has moved, although the sink has not got it.
func TestFillingABufferIsNoSilence(t *testing.T) {
	t.Parallel()
	inTime(t, func() bool {
		pace := newPace(time.Second)
		p := launch(t, withPipes, "--timeout=1", "--buffer=4M", "--fill=100", "-", "-")
		for range 8 {
			if _, err := p.stdin.Write(noise[:1000]); !pace.kept() {
				return false
			} else if err != nil {
				t.Fatal(err)
			}
			time.Sleep(150 * time.Millisecond)
		}
		p.stdin.Close()
		if !pace.kept() {
			return false
		}
		if got := hear(t, p.stdout); len(got) != 8000 {
			t.Errorf("%d bytes arrived", len(got))
		}
		p.ended(0, "")
		return true
	})
}

// It is the sink, although the source is silent as well by then.
func TestWhoIsWaitedForInVainIsNamed(t *testing.T) {
	t.Parallel()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	peer, source := os.NewFile(uintptr(fds[0]), "peer"), os.NewFile(uintptr(fds[1]), "source")
	defer peer.Close()
	if _, err := peer.Write(noise[:1000]); err != nil {
		t.Fatal(err)
	}
	sink := fullFIFO(t)
	p := launch(t, func(p *process) { p.cmd.ExtraFiles = []*os.File{source} }, "--timeout=0.3", "--pipe-size=0", "fd:3", sink)
	p.ended(1, "zpipe: "+tool.Quote(sink)+": Connection timed out\n")
}

// fullFIFO returns the path of a FIFO that takes nothing.
func fullFIFO(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	for err == nil {
		_, err = unix.Write(fd, make([]byte, 4096))
	}
	return path
}

func TestACommandThatSaysNothingEndsWithTheTimeout(t *testing.T) {
	t.Parallel()
	p := launch(t, withPipes, "--timeout=0.2", "exec:sleep 1000", "-")
	p.ended(1, "zpipe: exec:sleep 1000: Connection timed out\n")

	p = serve(t, "--both", "--timeout=0.2", "LISTEN", "exec:sleep 1000")
	isReset(t, "a timeout", dial(t, "tcp", p.address()), nil)
	waitFor(t, "the command to end", func() bool { return len(p.children()) == 0 })
	p.signal(unix.SIGTERM)
	if status := p.wait(); status != 0 {
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}

// Standard output is a pipe that is shared with others, and so stays blocking.
func TestAWriteThatDoesNotReturnEndsWithTheTimeout(t *testing.T) {
	for _, args := range []string{"/dev/zero -", "--method=readwrite /dev/zero -", "--both SOCKET -"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			l := connectingTo(t, "unix")
			p := launch(t, withPipes, words("--timeout=0.3 "+args, l.operand)...)
			if strings.HasPrefix(args, "--both") {
				go func(c conn) { _, _ = c.Write(noise) }(accept(t, l.Listener))
			}
			if status := p.wait(); status != 1 || !strings.HasSuffix(p.said.text(), ": Connection timed out\n") {
				t.Errorf("status %d, said %q", status, p.said.text())
			}
		})
	}
}

func TestAFIFOThatNobodyReadsEndsWithTheTimeout(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	p := launch(t, nil, "--timeout=0.3", "--stats", "/dev/zero", path)
	const end = `: Connection timed out\nzpipe: \d+ bytes .*\nzpipe: splice: \d+ bytes\n$`
	if status := p.wait(); status != 1 || !regexp.MustCompile(end).MatchString(p.said.text()) {
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}
