package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSilentAndStuckPeersEndWithTheTimeout(t *testing.T) {
	l := connectingTo(t, "tcp")
	message := "zpipe: " + l.operand + ": Connection timed out\n"

	p := launch(t, withPipes, "--timeout=0.2", l.operand, "-") // says nothing
	defer accept(t, l.Listener).Close()
	p.ended(1, message)

	p = launch(t, nil, "--timeout=0.2", "/dev/zero", l.operand) // reads nothing
	defer accept(t, l.Listener).Close()
	p.ended(1, message)

	p = launch(t, nil, "--both", "--timeout=0.2", "-", l.operand) // is half-open
	_ = hear(t, accept(t, l.Listener))
	p.ended(1, message)
}

func TestTheTimeoutIsOfBothDirectionsTogether(t *testing.T) {
	t.Parallel()
	l := connectingTo(t, "tcp")
	p := launch(t, withPipes, "--both", "--timeout=4", "-", l.operand)
	c := accept(t, l.Listener)
	heard := make(chan []byte)
	go func() { heard <- hear(t, p.stdout) }() // a user beyond the pipe allowance has pipes of two slots
	for range 50 {                             // the other way is silent for longer than the limit
		time.Sleep(100 * time.Millisecond)
		if _, err := c.Write([]byte(".")); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	p.stdin.Close()
	if got := <-heard; len(got) != 50 {
		t.Errorf("%q", got)
	}
	p.ended(0, "")
}

func TestConnectingIsGivenUpAfterTheTimeout(t *testing.T) {
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
	path := socketPath(t)
	p := launch(t, withPipes, "--timeout=4", "unix-listen:"+path, "-")
	waitFor(t, "the socket", func() bool { _, err := os.Stat(path); return err == nil })
	time.Sleep(4100 * time.Millisecond)
	c := dial(t, "unix", path)
	time.Sleep(50 * time.Millisecond)
	say(t, c, []byte("late"))
	if got := hear(t, p.stdout); string(got) != "late" {
		t.Errorf("%q arrived", got)
	}
	p.ended(0, "")
}

// Nothing moves while a process is stopped, but that is nobody's silence.
func TestWhatHasArrivedWhileItWasStoppedIsInTime(t *testing.T) {
	t.Parallel()
	l := connectingTo(t, "unix")
	p := launch(t, withPipes, "--timeout=4", l.operand, "-")
	c := accept(t, l.Listener)
	p.signal(unix.SIGSTOP)
	waitFor(t, "it to stop", func() bool { return p.state() == "T" })
	say(t, c, []byte("meanwhile"))
	time.Sleep(4100 * time.Millisecond)
	p.signal(unix.SIGCONT)
	if got := hear(t, p.stdout); string(got) != "meanwhile" {
		t.Errorf("%q arrived", got)
	}
	p.ended(0, "")
}

// state is what proc_pid_stat(5) calls it.
func (p *process) state() string {
	p.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[:1]
}

// What goes into a buffer has moved, although the sink has not got it.
func TestFillingABufferIsNoSilence(t *testing.T) {
	t.Parallel()
	p := launch(t, withPipes, "--timeout=4", "--buffer=4M", "--fill=100", "-", "-")
	go func() {
		for range 50 {
			_, _ = p.stdin.Write(noise[:1000])
			time.Sleep(100 * time.Millisecond)
		}
		p.stdin.Close()
	}()
	if got := hear(t, p.stdout); len(got) != 50_000 {
		t.Errorf("%d bytes arrived", len(got))
	}
	p.ended(0, "")
}

func TestWhoIsWaitedForInVainIsNamed(t *testing.T) {
	t.Parallel()
	a, b := connectingTo(t, "tcp"), connectingTo(t, "tcp")
	p := launch(t, nil, "--timeout=4", a.operand, b.operand)
	from, _ := accept(t, a.Listener), accept(t, b.Listener) // which reads nothing
	go func() {
		for {
			if _, err := from.Write(noise); err != nil {
				return
			}
		}
	}()
	p.ended(1, "zpipe: "+b.operand+": Connection timed out\n")
}

func TestACommandThatSaysNothingEndsWithTheTimeout(t *testing.T) {
	p := launch(t, withPipes, "--timeout=0.2", "exec:sleep 1000", "-")
	p.ended(1, "zpipe: exec:sleep 1000: Connection timed out\n")

	p = serve(t, "--both", "--timeout=0.2", "LISTEN", "exec:sleep 1000")
	_ = hear(t, dial(t, "tcp", p.address()))
	waitFor(t, "the command to end", func() bool { return len(p.children()) == 0 })
	p.signal(unix.SIGTERM)
	if status := p.wait(); status != 0 {
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}

// Standard output is a pipe that is shared with others, and so stays blocking.
func TestAWriteThatDoesNotReturnEndsWithTheTimeout(t *testing.T) {
	for _, args := range [][]string{{"/dev/zero", "-"}, {"--method=readwrite", "/dev/zero", "-"}, {"--both", "SOCKET", "-"}} {
		l := connectingTo(t, "unix")
		operands := strings.Fields(strings.Replace(strings.Join(args, " "), "SOCKET", l.operand, 1))
		p := launch(t, withPipes, append([]string{"--timeout=0.3"}, operands...)...)
		if args[0] == "--both" {
			go func(c conn) { _, _ = c.Write(noise) }(accept(t, l.Listener))
		}
		if status := p.wait(); status != 1 || !strings.HasSuffix(p.said.text(), ": Connection timed out\n") {
			t.Errorf("%q: status %d, said %q", args, status, p.said.text())
		}
	}
}

func TestAFIFOThatNobodyReadsEndsWithTheTimeout(t *testing.T) {
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
