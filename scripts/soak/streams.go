package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// asMv is the name of the scene that needs a tool called as mv.
const asMv = "trees that zmv moves"

// scenes are all that are played, each as often as the others.
var scenes = []scene{
	{"pipelines", pipeline},
	{"files put together", concatenation},
	{"outputs of ztee", fanOut},
	{"outputs of ztee, one of which goes away", fanOutToTheGone},
	{"connections", connection},
	{"clients of the server", client},
	{"commands of zpipe run", commands},
	{"displays of pv", display},
	{"streams that a signal ends", ended},
	{"streams that are stopped and go on", stopped},
	{"one output of several tools", sharedOutput},
	{"trees that are copied", copyTree},
	{"trees that are moved", moveTree},
	{asMv, mvTree},
	{"files that are replaced", replaceFile},
	{"copies that are killed and resumed", resumed},
	{"moves that are killed and resumed", resumedMove},
}

var (
	relays  = []string{"auto", "auto", "auto", "splice", "readwrite"}
	sources = []string{"auto", "auto", "auto", "splice", "sendfile", "readwrite"}
)

// relay draws a tool that hands standard input on. What it keeps a copy of are
// names of files.
func (s *site) relay(number int) (words, copies []string) {
	switch s.IntN(6) {
	case 0:
		return []string{"zcat", "--method=" + pick(s, relays...)}, nil
	case 1:
		for i := range 1 + s.IntN(3) {
			copies = append(copies, fmt.Sprintf("copy-%d-%d", number, i))
		}
		return append([]string{"ztee", "--method=" + pick(s, relays...)}, copies...), copies
	case 2:
		return []string{"zpipe", fmt.Sprintf("--buffer=%dK", 64+s.IntN(8000))}, nil
	case 3:
		return []string{"pv", "-q", fmt.Sprintf("-L%dM", 20+s.IntN(200))}, nil
	case 4:
		return []string{"zpipe", "run", "zcat", ":::", "zpipe", "--method=" + pick(s, relays...), ":::", "zcat", "-"}, nil
	}
	return []string{"zpipe", "--method=" + pick(s, relays...), "--pipe-size=" + pick(s, "4K", "64K", "1M")}, nil
}

// pipeline joins some relays, from a pipe or a file into a pipe or a file.
func pipeline(s *site) error {
	data, err := s.file("in", 8<<20)
	if err != nil {
		return err
	}
	in, err := os.Open(s.path("in"))
	if err == nil && s.IntN(2) == 0 {
		in.Close()
		in, err = s.feeding(data)
	}
	if err != nil {
		return err
	}
	var running []*process
	var copies []string
	for i := range 1 + s.IntN(5) {
		words, kept := s.relay(i)
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		p, err := s.start(in, w, words...)
		if err != nil {
			return err
		}
		in, copies, running = r, append(copies, kept...), append(running, p)
	}
	defer in.Close()
	if s.IntN(2) == 0 {
		if err := s.intoFile(in, data); err != nil {
			return err
		}
	} else if err := s.reads(in, data); err != nil {
		return err
	}
	for _, p := range running {
		if err := p.succeeds(); err != nil {
			return err
		}
	}
	for _, name := range copies {
		if err := s.has(s.path(name), data); err != nil {
			return err
		}
	}
	return nil
}

// intoFile has a tool write what comes to a file, new or at its end.
func (s *site) intoFile(in *os.File, data []byte) error {
	in, err := dup(in)
	if err != nil {
		return err
	}
	before := s.data(1 << 20)
	if err := os.WriteFile(s.path("out"), before, 0o644); err != nil {
		return err
	}
	switch s.IntN(3) {
	case 0:
		err = s.run(in, nil, "zpipe", "-", "file:out,append")
	case 1:
		before = nil
		err = s.run(in, nil, "zpipe", "-", pick(s, "file:out,atomic", "file:out"))
	default:
		var out *os.File
		if out, err = os.OpenFile(s.path("out"), os.O_WRONLY|os.O_APPEND, 0); err == nil {
			err = s.run(in, out, pick(s, "zcat", "zpipe", "pv", "ztee"))
		}
	}
	if err != nil {
		return err
	}
	return s.has(s.path("out"), before, data)
}

// concatenation puts files together by any method.
func concatenation(s *site) error {
	words := []string{"zcat", "--method=" + pick(s, sources...)}
	if s.IntN(4) == 0 {
		words = []string{"pv", "-q"}
	}
	var want [][]byte
	for i := range 1 + s.IntN(6) {
		name := fmt.Sprint("f", i)
		data, err := s.file(name, 3<<20)
		if err != nil {
			return err
		}
		words, want = append(words, name), append(want, data)
	}
	if s.IntN(2) == 0 {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		p, err := s.start(nil, w, words...)
		if err != nil {
			return err
		}
		if err := s.reads(r, want...); err != nil {
			return err
		}
		return p.succeeds()
	}
	if words[1] == "--method=sendfile" {
		words[1] = "--method=auto" // from file to file it does not serve
	}
	out, err := os.Create(s.path("out"))
	if err != nil {
		return err
	}
	if err := s.run(nil, out, words...); err != nil {
		return err
	}
	return s.has(s.path("out"), want...)
}

// fanOut has ztee write files, FIFOs and standard output.
func fanOut(s *site) error {
	data := s.data(6 << 20)
	words := []string{"ztee"}
	if s.IntN(3) == 0 {
		words = append(words, "--output-error="+pick(s, "warn", "exit", "exit-nopipe"))
	}
	var files, fifos []string
	for i := range 1 + s.IntN(5) {
		name := fmt.Sprint("o", i)
		if s.IntN(3) == 0 {
			if err := syscall.Mkfifo(s.path(name), 0o644); err != nil {
				return err
			}
			fifos = append(fifos, name)
		} else {
			files = append(files, name)
		}
		words = append(words, name)
	}
	in, err := s.feeding(data)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	read := make(chan error, len(fifos)+1)
	for _, name := range fifos {
		go func() { read <- s.has(s.path(name), data) }()
	}
	go func() { read <- s.reads(r, data) }()
	p, err := s.start(in, w, words...)
	if err != nil {
		return err
	}
	for range cap(read) {
		if err := s.within(read); err != nil {
			return err
		}
	}
	if err := p.succeeds(); err != nil {
		return err
	}
	for _, name := range files {
		if err := s.has(s.path(name), data); err != nil {
			return err
		}
	}
	return nil
}

// fanOutToTheGone has a reader of ztee -p leave: the others get everything.
func fanOutToTheGone(s *site) error {
	data := s.data(6 << 20)
	in, err := s.feeding(data)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if err := syscall.Mkfifo(s.path("fifo"), 0o644); err != nil {
		return err
	}
	read := make(chan error, 1)
	go func() { read <- s.has(s.path("fifo"), data) }()
	p, err := s.start(in, w, "ztee", "-p", "file", "fifo")
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, r, int64(s.IntN(len(data)+1)))
	r.Close()
	if err := s.within(read); err != nil {
		return err
	}
	if err := p.succeeds(); err != nil {
		return err
	}
	return s.has(s.path("file"), data)
}

// within waits for what another goroutine finds, as long as the scene may last.
func (s *site) within(found <-chan error) error {
	select {
	case err := <-found:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// connection relays between two zpipes.
func connection(s *site) error {
	data, err := s.file("in", 8<<20)
	if err != nil {
		return err
	}
	listener, err := s.start(nil, nil, "zpipe", "unix-listen:socket", pick(s, "file:out,atomic", "file:out", "sh:cat >out"))
	if err != nil {
		return err
	}
	from := pick(s, "in", "sh:cat in", "exec:cat in")
	if err := s.run(nil, nil, "zpipe", from, "unix:socket,retry=10000,interval=0.01"); err != nil {
		return err
	}
	if err := listener.succeeds(); err != nil {
		return err
	}
	return s.has(s.path("out"), data)
}

// client sends to the server and reads the echo.
func client(s *site) error {
	for range 1 + s.IntN(20) {
		c, err := net.Dial("unix", s.server.path)
		if err != nil {
			return err
		}
		s.server.clients.Add(1)
		data := s.data(1 << 20)
		_ = c.SetDeadline(time.Now().Add(patience))
		if s.IntN(10) == 0 { // in the middle
			_, _ = c.Write(data[:len(data)/2])
			c.Close()
			continue
		}
		go s.feed(writing{c.(*net.UnixConn)}, data)
		err = s.reads(c, data)
		c.Close()
		if err != nil {
			return fmt.Errorf("the echo %w", err)
		}
	}
	return nil
}

// Closing a writing ends what a connection sends.
type writing struct{ *net.UnixConn }

func (w writing) Close() error { return w.CloseWrite() }

// commands joins commands by zpipe run, and knows the last status.
func commands(s *site) error {
	data, err := s.file("in", 6<<20)
	if err != nil {
		return err
	}
	words := []string{"zpipe", "run", "zcat", "in"}
	for i := range 1 + s.IntN(4) {
		words = append(words, ":::")
		words = append(words, pick(s, []string{"cat"}, []string{"ztee", fmt.Sprint("t", i)}, []string{"zpipe"}, []string{"zcat", "-"})...)
	}
	want := pick(s, 0, 0, 3)
	words = append(words, ":::", "sh", "-c", fmt.Sprintf("cat; exit %d", want))
	out, err := os.Create(s.path("out"))
	if err != nil {
		return err
	}
	p, err := s.start(nil, out, words...)
	if err != nil {
		return err
	}
	if status := p.status(); status != want {
		return fmt.Errorf("%s: status %d, not %d, said %q", p.line, status, want, p.said.String())
	}
	return s.has(s.path("out"), data)
}

// display draws on a pipe what pv's options ask for.
func display(s *site) error {
	data, err := s.file("in", 4<<20)
	if err != nil {
		return err
	}
	words := []string{"pv", "-f", "-i0.1", fmt.Sprintf("-w%d", 1+s.IntN(200))}
	for range s.IntN(4) {
		words = append(words, pick(s, "-p", "-t", "-e", "-r", "-a", "-b", "-n", "-I", "-T", "-A9", "-s1M", "-Nname",
			"-F%t %b %r %{bar-block}", "-F%N%p%300A%L", "-uplain", "-ushaded", "-8", "-k", "-l"))
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	p, err := s.start(nil, w, append(words, "in")...)
	if err != nil {
		return err
	}
	if err := s.reads(r, data); err != nil {
		return err
	}
	if status := p.status(); status != 0 {
		return fmt.Errorf("%s: status %d, said %q", p.line, status, p.said.String())
	}
	return nil
}

// ended kills a stream in the middle: what was written is its beginning.
func ended(s *site) error {
	data := noise[:8<<20]
	out, err := os.Create(s.path("out"))
	if err != nil {
		return err
	}
	in, w, err := os.Pipe()
	if err != nil {
		return err
	}
	sig := pick(s, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL)
	p, err := s.start(in, out, pick(s, []string{"zcat"}, []string{"ztee", "copy"}, []string{"zpipe"}, []string{"zpipe", "--buffer=1M"})...)
	if err != nil {
		return err
	}
	fed := make(chan struct{})
	go func() { s.feed(w, data); close(fed) }()
	time.Sleep(time.Duration(s.size(8000)) * time.Microsecond)
	_ = p.cmd.Process.Signal(sig) // or it is done
	status := p.status()
	<-fed
	if status != 0 && status != 128+int(sig) {
		return fmt.Errorf("%s: status %d after signal %d, said %q", p.line, status, sig, p.said.String())
	}
	if status == 0 {
		return s.has(s.path("out"), data)
	}
	return s.begins(s.path("out"), data)
}

// stopped stops a stream and lets it go on.
func stopped(s *site) error {
	data := s.data(8 << 20)
	in, err := s.feeding(data)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	words, copies := s.relay(0)
	p, err := s.start(in, w, words...)
	if err != nil {
		return err
	}
	times, wait := 1+s.IntN(5), time.Duration(s.IntN(3000))*time.Microsecond
	go func() {
		for range times {
			_ = p.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(wait)
			_ = p.cmd.Process.Signal(syscall.SIGCONT)
			time.Sleep(wait)
		}
	}()
	if err := s.reads(r, data); err != nil {
		return err
	}
	if err := p.succeeds(); err != nil {
		return err
	}
	for _, name := range copies {
		if err := s.has(s.path(name), data); err != nil {
			return err
		}
	}
	return nil
}

// sharedOutput has several tools write to one open file, each its lines: all
// lines arrive whole, in the order of each.
func sharedOutput(s *site) error {
	out, err := os.Create(s.path("out"))
	if err != nil {
		return err
	}
	defer out.Close()
	var want int
	var running []*process
	for i := range 2 + s.IntN(2) {
		text := strings.Repeat(fmt.Sprintf("%d: a line of a tool\n", i), 1+s.IntN(100_000))
		want += len(text)
		in, err := s.feeding([]byte(text))
		if err != nil {
			return err
		}
		shared, err := dup(out)
		if err != nil {
			return err
		}
		p, err := s.start(in, shared, pick(s, []string{"zcat"}, []string{"ztee"}, []string{"zpipe"}, []string{"pv", "-q"})...)
		if err != nil {
			return err
		}
		running = append(running, p)
	}
	for _, p := range running {
		if err := p.succeeds(); err != nil {
			return err
		}
	}
	got, err := os.ReadFile(s.path("out"))
	switch {
	case err != nil:
		return err
	case len(got) != want:
		return fmt.Errorf("out has %d bytes, not %d", len(got), want)
	case bytes.IndexByte(got, 0) >= 0:
		return fmt.Errorf("out has a zero at %d", bytes.IndexByte(got, 0))
	}
	s.mu.Lock()
	s.compared += int64(want)
	s.mu.Unlock()
	return nil
}

func dup(f *os.File) (*os.File, error) {
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), f.Name()), nil
}
