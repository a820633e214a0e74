package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

func TestWhatGoesWrongWithAConnectionIsItsOwnAffair(t *testing.T) {
	nobody := freePort(t, "127.0.0.1")
	p := serve(t, "--both", "LISTEN", "sh:read word; case $word in fail) exit 3;; *) echo $word; cat;; esac")
	fine := dial(t, "tcp", p.address())
	_, _ = fine.Write([]byte("hello\n"))
	failing := dial(t, "tcp", p.address())
	say(t, failing, []byte("fail\n"))
	isReset(t, "a command that fails", failing, nil)
	if err := fine.CloseWrite(); err != nil {
		t.Error(err)
	}
	if got := hear(t, fine); string(got) != "hello\n" {
		t.Errorf("%q", got)
	}
	p.stop(fmt.Sprintf("zpipe: tcp-listen:0: %v: sh:read word; case $word in fail) exit 3;; *) echo $word; cat;; esac: exit status 3\n", failing.LocalAddr()))

	p = serve(t, "--both", "LISTEN", "tcp:"+nobody)
	c := dial(t, "tcp", p.address())
	isReset(t, "a server that is not there", c, nil)
	p.signal(syscall.SIGTERM)
	want := fmt.Sprintf("zpipe: tcp-listen:0: %v: tcp:%s: Connection refused\n", c.LocalAddr(), nobody)
	if status := p.wait(); status != 0 || !strings.HasSuffix(p.said.text(), want) { // a reset may meet dial, which tries again
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}

// The descriptor of a connection that came to nothing is soon another's.
func TestASinkThatRefusedIsAskedAgainByTheNextConnection(t *testing.T) {
	address := freePort(t, "127.0.0.1")
	p := serve(t, "--both", "LISTEN", "tcp:"+address)
	for range 3 {
		isReset(t, "a server that is not there", dial(t, "tcp", p.address()), nil)
	}
	go echoAll(listen(t, "tcp", address))
	echoes(t, dial(t, "tcp", p.address()), noise[:1000])
	p.signal(syscall.SIGTERM)
	if status := p.wait(); status != 0 || strings.Count(p.said.text(), ": Connection refused\n") < 3 {
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}

func TestAServerSurvivesTheReaderOfItsFIFO(t *testing.T) {
	path := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, "LISTEN", path)
	c := dial(t, "tcp", p.address())
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("x"))
	if _, err := io.ReadFull(reader, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	reader.Close()
	_, _ = c.Write([]byte("y"))
	isReset(t, "a FIFO without a reader", c, nil)
	p.stop(fmt.Sprintf("zpipe: tcp-listen:0: %v: %s: Broken pipe\n", c.LocalAddr(), tool.Quote(path)))
}

// As most clients of unix sockets do, which need not shut them down first.
func TestAPeerThatLeavesInOrderIsNoError(t *testing.T) {
	path := socketPath(t)
	l := listen(t, "unix", path+"-behind")
	for _, sink := range []string{"unix:" + path + "-behind", "exec:cat", "sh:cat; echo bye"} {
		p := launch(t, nil, "--serve", "--both", "unix-listen:"+path, sink)
		c := dial(t, "unix", path)
		if strings.HasPrefix(sink, "unix:") {
			behind := accept(t, l)
			_, _ = behind.Write([]byte("x"))
			_, _ = io.ReadFull(c, make([]byte, 1))
			behind.Close()
			_ = hear(t, c)
		} else {
			_, _ = c.Write([]byte("x"))
			_, _ = io.ReadFull(c, make([]byte, 1))
			c.Close()
		}
		waitFor(t, "the end of the connection", func() bool { return len(p.children()) == 0 && p.sockets() == 1 })
		p.signal(syscall.SIGTERM)
		p.ended(0, "")
	}
}

// A write may be the first to find out, before a wait does.
func TestAWriteToAPeerThatHasLeftInOrderIsNoError(t *testing.T) {
	for _, unread := range []bool{false, true} {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fds[0])
		if unread {
			_, _ = unix.Write(fds[0], []byte("x"))
		}
		unix.Close(fds[1])
		to := &endpoint.Stream{Endpoint: endpoint.Endpoint{Kind: endpoint.UnixListen}, Peer: "somebody", Out: &splice.Descriptor{FD: fds[0]}}
		complaints := 0
		set := &settings{both: true}
		v := &server{settings: set, journal: newJournal(func(string, ...any) { complaints++ }, 10)}
		r := set.newRelay(served{v, to})
		r.explain(&endpoint.Stream{}, to, 0, &splice.WriteError{Err: unix.EPIPE})
		if failed := complaints > 0; failed != unread || r.enough == unread {
			t.Errorf("unread %v: %d complaints", unread, complaints)
		}
	}
}

// Who is not heard any more does not listen for ever, and was waited for.
func TestAClientThatGoesInTheMiddleOfAnEchoLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		l := connectingTo(t, network)
		go echoAll(l)
		p := serve(t, "--both", "LISTEN", l.operand)
		for range 5 {
			c := dial(t, "tcp", p.address()).(*net.TCPConn)
			_ = c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			for { // until all on the way are full
				if _, err := c.Write(noise); err != nil {
					break
				}
			}
			_ = c.SetLinger(0)
			c.Close()
		}
		waitFor(t, "the connections to end", func() bool { return p.sockets() == 1 })
	}
}

func TestACommandWhoseConnectionIsCutOffEnds(t *testing.T) {
	p := serve(t, "--both", "--grace=0", "LISTEN", "sh:echo $$; exec sleep 1000")
	c := dial(t, "tcp", p.address())
	pid, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("x"))
	said := p.announced()
	p.signal(syscall.SIGTERM)
	p.ended(1, said+"zpipe: connections cut off: 1\n")
	waitFor(t, "the command to end", func() bool {
		line, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/cmdline")
		return err != nil || len(line) == 0 // of a zombie
	})
}

// A program behind a server that echoes takes no more while nobody takes what it
// says: it has to be heard out when its client has left.
func TestAClientThatLeavesWithoutReadingLeavesNothingBehind(t *testing.T) {
	behind, err := net.Listen("unix", socketPath(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { behind.Close() })
	var echoing, served atomic.Int32
	go func() {
		for {
			c, err := behind.Accept()
			if err != nil {
				return
			}
			echoing.Add(1)
			served.Add(1)
			go func() {
				_, _ = io.Copy(c, c) // its client has gone
				c.Close()
				echoing.Add(-1)
			}()
		}
	}()
	path := socketPath(t)
	launch(t, nil, "--serve", "--both", "unix-listen:"+path, "unix:"+behind.Addr().String())
	const clients = 100
	for i := range clients {
		c := dial(t, "unix", path)
		_, _ = c.Write(noise[:(i+1)*5000]) // less than all of the way holds
		c.Close()
	}
	waitFor(t, "every connection to end", func() bool { return served.Load() == clients && echoing.Load() == 0 })
}
