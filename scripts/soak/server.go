package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A server is a zpipe that serves during the whole run: it relays connections to
// an echo.
type server struct {
	cmd       *exec.Cmd
	said      bytes.Buffer
	path      string
	echo      net.Listener
	clients   atomic.Int64
	idle      usage // when it had served nobody
	descripts int   // at the end
	ended     chan struct{}
}

func (s *soak) startServer() (*server, error) {
	echo, err := net.Listen("unix", filepath.Join(s.root, "echo"))
	if err != nil {
		return nil, err
	}
	go echoAll(echo)
	v := &server{path: filepath.Join(s.root, "served"), echo: echo, ended: make(chan struct{})}
	v.cmd = exec.Command(filepath.Join(s.tools, "zpipe"), "--serve", "--both", "--timeout=100",
		"unix-listen:"+v.path, "unix:"+echo.Addr().String())
	v.cmd.Stderr = &v.said
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	s.watch.add("zpipe --serve", v.cmd.Process.Pid)
	go func() { _ = v.cmd.Wait(); close(v.ended) }()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", v.path)
		if err == nil {
			c.Close()
			break
		}
		if time.Since(began) > patience {
			return v, fmt.Errorf("the server does not answer: %w", err)
		}
	}
	v.idle, err = usageOf(v.cmd.Process.Pid)
	return v, err
}

// echoAll sends every connection what it says.
func echoAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}

// sockets counts the sockets and what else but private pipes the server has open.
func (v *server) sockets() int {
	dir := fmt.Sprintf("/proc/%d/fd", v.cmd.Process.Pid)
	links, _ := os.ReadDir(dir)
	n := 0
	for _, link := range links {
		if to, err := os.Readlink(filepath.Join(dir, link.Name())); err == nil && !strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}

// leftOver is how many descriptors a server without clients may have: those it
// began with, and what a poller adds.
func (v *server) leftOver() int { return v.idle.descriptors + 4 }

// check waits until the last connection has gone, and ends the server.
func (v *server) check() error {
	select {
	case <-v.ended:
		return fmt.Errorf("the server ended: %v, said %q", v.cmd.ProcessState, v.said.String())
	default:
	}
	began := time.Now()
	for v.descripts = v.sockets(); v.descripts > v.leftOver(); v.descripts = v.sockets() {
		if time.Since(began) > 30*time.Second {
			return fmt.Errorf("the server has %d descriptors that are no pipes, after %d connections; it began with %d in all",
				v.descripts, v.clients.Load(), v.idle.descriptors)
		}
		time.Sleep(10 * time.Millisecond)
	}
	v.stop()
	if status := v.cmd.ProcessState; !status.Success() {
		return fmt.Errorf("the server: %v, said %q", status, v.said.String())
	}
	for line := range strings.Lines(v.said.String()) {
		if !ofAClient.MatchString(line) {
			return fmt.Errorf("the server said %q", line)
		}
	}
	return nil
}

// ofAClient is what the server says of a client that closes in the middle.
var ofAClient = regexp.MustCompile(`: process \d+: (Broken pipe|Connection reset by peer)\n$`)

func (v *server) stop() {
	v.echo.Close()
	_ = v.cmd.Process.Signal(syscall.SIGTERM) // or it has ended
	select {
	case <-v.ended:
	case <-time.After(patience):
		_ = v.cmd.Process.Kill()
		<-v.ended
	}
}

func (v *server) summarize(out io.Writer) {
	now, err := usageOf(v.cmd.Process.Pid)
	if err != nil {
		return
	}
	fmt.Fprintf(out, "the server: %d connections; %d MB of memory, %d threads; %d descriptors, %d at the start\n",
		v.clients.Load(), now.memory/1e6, now.threads, now.descriptors, v.idle.descriptors)
}
