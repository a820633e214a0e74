package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// serve starts a server on a port that the kernel chooses. LISTEN in an
// argument stands for it.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	return serveAs(t, nil, args...)
}

func serveAs(t *testing.T, set func(*process), args ...string) *process {
	t.Helper()
	for i, arg := range args {
		if arg == "LISTEN" {
			args[i] = "tcp-listen:0"
		}
	}
	p := launch(t, set, append([]string{"--serve"}, args...)...)
	p.address()
	return p
}

// echoes has what is said to a connection come back.
func echoes(t *testing.T, c conn, data []byte) {
	t.Helper()
	var speaking sync.WaitGroup
	speaking.Go(func() { say(t, c, data) })
	if err := same(hear(t, c), data); err != nil {
		t.Error(err)
	}
	speaking.Wait()
}

// stop ends a server in order, which should have said nothing but this.
func (p *process) stop(said string) {
	p.Helper()
	before := p.announced()
	p.signal(syscall.SIGTERM)
	p.ended(0, before+said)
}

func TestEveryConnectionGetsACommandOfItsOwn(t *testing.T) {
	for _, command := range []string{"exec:cat", "sh:cat"} {
		p := serve(t, "--both", "LISTEN", command)
		echoes(t, dial(t, "tcp", p.address()), noise[:10])
		descriptors := p.descriptors()
		var clients sync.WaitGroup
		for i := range 20 {
			clients.Go(func() { echoes(t, dial(t, "tcp", p.address()), noise[i<<10:i<<10+sizes[i%len(sizes)]]) })
		}
		clients.Wait()
		waitFor(t, "descriptors to be given back", func() bool { return p.descriptors() <= descriptors })
		p.stop("")
	}
}

func TestEveryConnectionGetsAConnectionOfItsOwn(t *testing.T) {
	behind := serve(t, "--both", "LISTEN", "exec:cat")
	p := serve(t, "--both", "LISTEN", "tcp:"+behind.address())
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() { echoes(t, dial(t, "tcp", p.address()), noise[i<<10:i<<10+sizes[i%len(sizes)]]) })
	}
	clients.Wait()
	p.stop("")
	behind.stop("")
}

func TestEveryConnectionGetsAFileWithTheNextFreeNumber(t *testing.T) {
	p := serveAs(t, func(p *process) {
		if err := os.WriteFile(filepath.Join(p.cmd.Dir, "2.in"), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, "LISTEN", "file:%d.in")
	for i := range 3 {
		c := dial(t, "tcp", p.address())
		say(t, c, noise[:i+1])
		_ = hear(t, c) // its end is that of the file
	}
	for name, want := range map[string]string{"1.in": string(noise[:1]), "2.in": "mine", "3.in": string(noise[:2]), "4.in": string(noise[:3])} {
		if got, err := os.ReadFile(filepath.Join(p.cmd.Dir, name)); string(got) != want {
			t.Errorf("%s has %q, %v, want %q", name, got, err, want)
		}
	}
	p.stop("")
}

func TestEveryConnectionIsSentTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, noise, 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, path, "LISTEN")
	var clients sync.WaitGroup
	for range 5 {
		clients.Go(func() {
			if err := same(hear(t, dial(t, "tcp", p.address())), noise); err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
	p.stop("")
}

// Commands of several connections would take the server's input from each other.
func TestACommandThatIsServedDoesNotReadTheServersInput(t *testing.T) {
	p := serveAs(t, withPipes, "sh:cat; echo end", "LISTEN")
	if got := hear(t, dial(t, "tcp", p.address())); string(got) != "end\n" {
		t.Errorf("%q", got)
	}
	p.stop("")
}

func TestAServerSaysHowFarItIs(t *testing.T) {
	p := serve(t, "--both", "LISTEN", "exec:cat")
	echoes(t, dial(t, "tcp", p.address()), noise[:1000])
	c := dial(t, "tcp", p.address())
	_, _ = c.Write([]byte("x"))
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	waitFor(t, "the answer", func() bool {
		p.signal(syscall.SIGUSR1)
		return regexp.MustCompile(`(?m)^zpipe: 2002 bytes in [0-9.]+ s: 1 open, 2 in all$`).MatchString(p.said.text())
	})
}

func TestAServerShowsALineOfAllConnections(t *testing.T) {
	for width, want := range map[string]string{"80": "1.95KiB 1 open, 2 in all", "40": "1.95KiB 1/2"} {
		p := serve(t, "--both", "-fpb", "-i", "0.1", "-w", width, "LISTEN", "exec:cat")
		echoes(t, dial(t, "tcp", p.address()), noise[:999])
		c := dial(t, "tcp", p.address())
		_, _ = c.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		waitFor(t, "the line", func() bool { return strings.Contains(p.said.text(), want) })
		c.Close()
		p.signal(syscall.SIGTERM)
		if status := p.wait(); status != 0 || !strings.HasSuffix(p.said.text(), "\n") {
			t.Errorf("status %d, said %q", status, p.said.text())
		}
	}
}

func TestMoreConnectionsThanAllowedWait(t *testing.T) {
	p := serve(t, "--both", "--max-connections=2", "LISTEN", "exec:cat")
	served := func() conn {
		c := dial(t, "tcp", p.address())
		_, _ = c.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		return c
	}
	first, second := served(), served()
	third := dial(t, "tcp", p.address())
	if children := p.children(); len(children) != 2 {
		t.Errorf("%d commands run", len(children))
	}
	echoes(t, first, []byte("y"))
	echoes(t, third, []byte("z"))
	echoes(t, second, []byte("y"))
	p.stop("zpipe: tcp-listen:0: 2 connections are open, as many as --max-connections allows; others wait\n")
}

// children are the processes that zpipe has started.
func (p *process) children() (pids []string) {
	p.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // it may have ended
		pids = append(pids, strings.Fields(string(text))...)
	}
	return pids
}

func TestConnectionsThatAreOpenEndInOrder(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		p := serve(t, "--both", "--grace=1000", "LISTEN", "exec:cat")
		c := dial(t, "tcp", p.address())
		_, _ = c.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		said := p.announced()
		p.signal(sig)
		waitFor(t, "the port to close", func() bool { return p.sockets() == 1 })
		echoes(t, c, noise[:1<<20+1])
		p.ended(0, said)
	}
}

func TestConnectionsAreCutOffWhenTheGraceIsOver(t *testing.T) {
	t.Parallel()
	for _, grace := range []string{"--grace=0", "--grace=0.2", "--grace=1000"} {
		p := serve(t, "--both", grace, "LISTEN", "exec:cat")
		c := dial(t, "tcp", p.address())
		_, _ = c.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		said := p.announced()
		p.signal(syscall.SIGTERM)
		if grace == "--grace=1000" {
			p.signal(syscall.SIGINT) // enough waited
		}
		p.ended(1, said+"zpipe: connections cut off: 1\n")
	}
}

func TestWithoutDescriptorsNewcomersAreRefusedAndTheOthersStay(t *testing.T) {
	p := serveAs(t, func(p *process) {
		p.cmd.Args = append([]string{"sh", "-c", `ulimit -n 40; exec "$@"`, "sh"}, p.cmd.Args...)
		p.cmd.Path = "/bin/sh"
	}, "--both", "LISTEN", "exec:cat")
	var served []conn
	refused := 0
	for range 30 {
		c := dial(t, "tcp", p.address())
		_, _ = c.Write([]byte("x"))
		if n, _ := c.Read(make([]byte, 1)); n == 1 {
			served = append(served, c)
		} else {
			refused++
			c.Close()
		}
	}
	if len(served) < 5 || refused == 0 {
		t.Errorf("%d were served, %d refused", len(served), refused)
	}
	for _, c := range served {
		echoes(t, c, noise[:100_000])
		c.Close()
	}
	waitFor(t, "the commands to end", func() bool { return len(p.children()) == 0 })
	echoes(t, dial(t, "tcp", p.address()), noise[:1000])
	p.signal(syscall.SIGTERM)
	if status := p.wait(); status != 0 || !strings.Contains(p.said.text(), "Too many open files") {
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}
