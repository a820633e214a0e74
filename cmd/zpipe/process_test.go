package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// enough is when something counts as hanging.
const enough = time.Minute

// A process is a zpipe that runs.
type process struct {
	*testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser // if it was asked for
	stdout io.ReadCloser

	said   lines
	exited chan struct{}
}

// launch starts zpipe, or what set puts in its place. It is killed if it does
// not end.
func launch(t *testing.T, set func(*process), args ...string) *process {
	t.Helper()
	p := &process{T: t, cmd: exec.Command("zpipe", args...), exited: make(chan struct{})}
	p.said.grown = sync.NewCond(&p.said.mu)
	p.cmd.Stderr = &p.said
	p.cmd.Dir = t.TempDir()
	p.cmd.WaitDelay = enough // for what it has left behind with its standard error
	if set != nil {
		set(p)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []any{p.cmd.Stdin, p.cmd.Stdout} {
		if f, ok := f.(*os.File); ok {
			f.Close() // zpipe has it
		}
	}
	for _, f := range p.cmd.ExtraFiles {
		f.Close()
	}
	go func() {
		_ = p.cmd.Wait() // the state says it
		p.said.end()
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // or it has ended
		<-p.exited
	})
	return p
}

// words are the words of a command line, with an operand in the place of SOCKET.
func words(line, operand string) []string {
	words := strings.Fields(line)
	for i, word := range words {
		if word == "SOCKET" {
			words[i] = operand
		}
	}
	return words
}

// withPipes gives zpipe a standard input and output that the test has.
func withPipes(p *process) {
	in, w, err := os.Pipe()
	if err != nil {
		p.Fatal(err)
	}
	r, out, err := os.Pipe()
	if err != nil {
		p.Fatal(err)
	}
	p.cmd.Stdin, p.cmd.Stdout, p.stdin, p.stdout = in, out, w, r
	_ = r.SetDeadline(time.Now().Add(enough))
	p.Cleanup(func() { w.Close(); r.Close() })
}

// wait waits for the end, and returns the status, 128 and more for a signal.
func (p *process) wait() int {
	p.Helper()
	select {
	case <-p.exited:
	case <-time.After(enough):
		p.Fatalf("%v has not ended; it said %q", p.cmd.Args, p.said.text())
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// ended checks the status and all that was said.
func (p *process) ended(status int, said string) {
	p.Helper()
	if got := p.wait(); got != status || p.said.text() != said {
		p.Errorf("%v\nended with %d, said %q\nwant %d, %q", p.cmd.Args, got, p.said.text(), status, said)
	}
}

// address waits until zpipe has said where it listens.
func (p *process) address() string {
	p.Helper()
	const before = "zpipe: listening on "
	line := p.said.line(func(line string) bool { return strings.HasPrefix(line, before) })
	if line == "" {
		p.Fatalf("%v does not listen: %q", p.cmd.Args, p.said.text())
	}
	return strings.TrimPrefix(line, before)
}

// announced is what a zpipe that listens on a port says first.
func (p *process) announced() string { return "zpipe: listening on " + p.address() + "\n" }

// signal sends a signal.
func (p *process) signal(sig syscall.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.Fatal(err)
	}
}

// lines is what was written on standard error, which others may wait for.
type lines struct {
	mu    sync.Mutex
	grown *sync.Cond
	all   bytes.Buffer
	over  bool
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.grown.Broadcast()
	return l.all.Write(b)
}

func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.grown.Broadcast()
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// line waits for a line, which is "" if it has not come before the end.
func (l *lines) line(fits func(string) bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for line := range strings.Lines(l.all.String()) {
			if whole, ok := strings.CutSuffix(line, "\n"); ok && fits(whole) {
				return whole
			}
		}
		if l.over {
			return ""
		}
		l.grown.Wait()
	}
}

// noise is bytes of which no piece resembles another.
var noise = func() []byte {
	b := make([]byte, 6<<20)
	_, _ = rand.Read(b) // never fails
	return b
}()

// same reports how what arrived differs.
func same(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("%d bytes, want %d; they differ at %d", len(got), len(want), at)
}

// A conn is a connection of the test's.
type conn interface {
	net.Conn
	CloseWrite() error
}

// dial connects, as soon as somebody listens.
func dial(t *testing.T, network, address string) conn {
	t.Helper()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial(network, address)
		if err == nil {
			t.Cleanup(func() { c.Close() })
			_ = c.SetDeadline(time.Now().Add(enough))
			return c.(conn)
		}
		if time.Since(start) > enough {
			t.Fatal(err)
		}
	}
}

// listen waits for connections.
func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// accept returns the next connection, which the test closes at its end.
func accept(t *testing.T, l net.Listener) conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(enough))
	return c.(conn)
}

// say writes and says that it was all.
func say(t *testing.T, c conn, data []byte) {
	t.Helper()
	if _, err := c.Write(data); err != nil {
		t.Error(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Error(err)
	}
}

// hear reads to the end.
func hear(t *testing.T, r io.Reader) []byte {
	t.Helper()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return got
}

// a socket's path that fits, below t's directory.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "zpipe")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}
