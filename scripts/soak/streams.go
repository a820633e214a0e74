package main

import (
	"fmt"
	"os"
	"syscall"
)

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
	if err := allSucceed(running); err != nil {
		return err
	}
	return s.allHave(copies, data)
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

func dup(f *os.File) (*os.File, error) {
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), f.Name()), nil
}
