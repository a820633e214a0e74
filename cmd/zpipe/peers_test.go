package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestWhicheverSideEndsFirstTheOtherIsHeardToItsEnd(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		for _, first := range []string{"source", "sink"} {
			t.Run(network+", the "+first+" first", func(t *testing.T) {
				a, b := connectingTo(t, network), connectingTo(t, network)
				p := launch(t, nil, "--both", a.operand, b.operand)
				early, late := accept(t, a.Listener), accept(t, b.Listener)
				if first == "sink" {
					early, late = late, early
				}
				say(t, early, []byte("question"))
				if got := hear(t, late); string(got) != "question" {
					t.Errorf("%q arrived", got)
				}
				var answer sync.WaitGroup
				answer.Go(func() { say(t, late, noise[:1<<20+1]) }) // only now
				if err := same(hear(t, early), noise[:1<<20+1]); err != nil {
					t.Error(err)
				}
				answer.Wait()
				p.ended(0, "")
			})
		}
	}
}

// A listener, and how to reach it.
type reached struct {
	net.Listener
	operand string
}

func connectingTo(t *testing.T, network string) reached {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = socketPath(t)
	}
	l := listen(t, network, address)
	return reached{l, network + ":" + l.Addr().String()}
}

func TestAPeerThatGoesEndsTheConversation(t *testing.T) {
	t.Parallel()
	l := connectingTo(t, "unix")
	p := launch(t, withPipes, "--both", "-", l.operand)
	accept(t, l.Listener).Close()
	p.ended(0, "") // though standard input is open
}

// A command that nobody hears any more would not read on, either.
func TestAPeerThatSpeaksButDoesNotListenEndsTheConversation(t *testing.T) {
	l := connectingTo(t, "unix")
	p := launch(t, nil, "--both", l.operand, "exec:cat")
	conn := accept(t, l.Listener).(*net.UnixConn)
	if err := conn.CloseRead(); err != nil {
		t.Fatal(err)
	}
	for { // more than all buffers on the way hold
		if _, err := conn.Write(noise); err != nil {
			break // the relay has gone
		}
	}
	p.ended(1, "zpipe: "+l.operand+": Broken pipe\n")
}

func TestAPeerThatResetsIsReportedOnce(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"SOCKET -", "- SOCKET", "--both SOCKET -", "--both - SOCKET", "SOCKET /dev/null"} {
		t.Run(args, func(t *testing.T) {
			l := connectingTo(t, "tcp")
			p := launch(t, withPipes, words(args, l.operand)...)
			c := accept(t, l.Listener)
			_ = c.(*net.TCPConn).SetLinger(0)
			if args != "- SOCKET" {
				_, _ = c.Write([]byte("some"))
			} else {
				_, _ = p.stdin.Write([]byte("some"))
				_, _ = c.Read(make([]byte, 4))
			}
			c.Close()
			status := p.wait()
			got := p.said.text()
			reset, broken := "zpipe: "+l.operand+": Connection reset by peer\n", "zpipe: "+l.operand+": Broken pipe\n"
			if status != 1 || got != reset && got != broken {
				t.Errorf("status %d, said %q", status, got)
			}
		})
	}
}

// Bytes that are on their way when the peer's kernel is asked to confirm them
// are not lost by what the peer has sent and nobody read, and end as they should.
func TestUnreadBytesOfThePeerDoNotCostItOurs(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		l := connectingTo(t, network)
		p := launch(t, withPipes, "-", l.operand)
		c := accept(t, l.Listener)
		if _, err := c.Write(noise[:10_000]); err != nil { // nobody wants it, but any buffer holds it
			t.Fatal(err)
		}
		go func() {
			_, _ = p.stdin.Write(noise[:5<<20])
			p.stdin.Close()
		}()
		if err := same(hear(t, c), noise[:5<<20]); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		p.ended(0, "")
	}
}

func TestABreakAfterTheLastWriteIsNoticed(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		l := connectingTo(t, "tcp")
		takeLittle(t, l.Listener.(*net.TCPListener))
		p := launch(t, withPipes, "-", l.operand)
		c := accept(t, l.Listener).(*net.TCPConn)
		if quiet { // then a break is not what reading tells
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.stdin.Write(noise[:256<<10]); err != nil { // more than the peer's kernel takes, less than ours does
			t.Fatal(err)
		}
		p.stdin.Close()
		waitFor(t, "zpipe to wait for the peer's host", func() bool { return p.shutDown() })
		_ = c.SetLinger(0)
		c.Close()
		p.ended(1, "zpipe: "+l.operand+": Connection reset by peer\n")
	}
}

// takeLittle has the connections of a listener hold little that nobody has read.
func takeLittle(t *testing.T, l *net.TCPListener) {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}

// shutDown reports whether zpipe has said all to a TCP peer that has not
// confirmed it: FIN_WAIT1 or, if the peer was first, LAST_ACK (proc_net_tcp.rst).
func (p *process) shutDown() bool {
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", p.cmd.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(p.cmd.Args[len(p.cmd.Args)-1][len("tcp:"):])
	n, _ := strconv.Atoi(port)
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 4 && strings.HasSuffix(f[2], fmt.Sprintf(":%04X", n)) && (f[3] == "04" || f[3] == "09") {
			return true
		}
	}
	return false
}

func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for start := time.Now(); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Since(start) > enough {
			t.Fatal("waited in vain for ", what)
		}
	}
}

func TestAPlaceInTheQueueOfASocketIsWaitedFor(t *testing.T) {
	path := socketPath(t)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	dial(t, "unix", path) // fills it
	launch(t, nil, "--timeout=0.1", "unix:"+path, "/dev/null").ended(1, "zpipe: unix:"+path+": Connection timed out\n")
	p := launch(t, nil, "unix:"+path, "/dev/null")
	time.Sleep(20 * time.Millisecond)
	for range 2 {
		c, _, err := unix.Accept(fd)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(c)
	}
	p.ended(0, "")
}

// It can send as fast as it is read.
func TestAPeerThatNeverStopsSendingIsNotWaitedFor(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		l := connectingTo(t, network)
		p := launch(t, withPipes, "-", l.operand)
		for c := accept(t, l.Listener); ; {
			if p.stdin != nil {
				_, _ = p.stdin.Write([]byte("all"))
				p.stdin.Close()
				p.stdin = nil
			}
			if _, err := c.Write(noise); err != nil {
				break
			}
		}
		p.ended(0, "")
	}
}

func TestASinkThatFailsEndsARelayWithABufferThoughThePeerIsSilent(t *testing.T) {
	for _, options := range [][]string{{"--buffer=16M"}, {"--buffer=16M", "--timeout=1000"}} {
		l := connectingTo(t, "unix")
		p := launch(t, nil, append(options, l.operand, "/dev/full")...)
		if _, err := accept(t, l.Listener).Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		p.ended(1, "zpipe: /dev/full: No space left on device\n")
	}
}

// A server that starts programs with a socket as standard output may start
// another one after zpipe.
func TestAnInheritedSocketIsLeftAsItWas(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	p := launch(t, func(p *process) {
		p.cmd.Args = []string{"sh", "-c", "echo one | zpipe; echo two | zpipe - fd:1; echo three"}
		p.cmd.Path = "/bin/sh"
		p.cmd.Stdout = theirs
	})
	if got := hear(t, ours); string(got) != "one\ntwo\nthree\n" {
		t.Errorf("%q", got)
	}
	p.ended(0, "")
}

func TestASlowReaderIsWaitedFor(t *testing.T) {
	l := connectingTo(t, "tcp")
	p := launch(t, withPipes, "-", l.operand)
	go func() { _, _ = p.stdin.Write(noise[:3<<20]); p.stdin.Close() }()
	c := accept(t, l.Listener)
	var got []byte
	buf := make([]byte, 16<<10)
	for len(got) < 1<<20 {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
		time.Sleep(time.Millisecond)
	}
	rest, _ := io.ReadAll(c)
	if err := same(append(got, rest...), noise[:3<<20]); err != nil {
		t.Error(err)
	}
	p.ended(0, "")
}

func TestABrokenPipeOfItsOwnKillsItAsAnyWriter(t *testing.T) {
	for _, args := range []string{"SOCKET -", "--both SOCKET -", "--both - SOCKET"} { // though standard input is open
		l := connectingTo(t, "tcp")
		p := launch(t, withPipes, words(args, l.operand)...)
		c := accept(t, l.Listener)
		p.stdout.Close()
		_, _ = c.Write([]byte("x"))
		if status := p.wait(); status != 128+int(unix.SIGPIPE) || p.said.text() != "" {
			t.Errorf("%s: status %d, said %q", args, status, p.said.text())
		}
	}
}
