package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

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
	return s.allHave(copies, data)
}

// resumed kills copies until one is done: nothing but the whole file has its
// name, and nothing else stays.
func resumed(s *site) error {
	data, err := s.file("in", 12<<20)
	if err != nil {
		return err
	}
	to := s.elsewhere("out")
	words := []string{"zcp", "--atomic", "--resume", "--reflink=never", "in", to}
	for range s.IntN(4) {
		if err := s.killed(words); err != nil {
			return err
		}
		if _, err := os.Lstat(to); err == nil {
			if err := s.has(to, data); err != nil {
				return err
			}
		}
	}
	if err := s.run(nil, nil, words...); err != nil {
		return err
	}
	if err := s.has(to, data); err != nil {
		return err
	}
	return noTemporaries(filepath.Dir(to))
}

// killed starts a copy and kills it at some moment.
func (s *site) killed(words []string) error {
	p, err := s.start(nil, nil, words...)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(s.IntN(20_000)) * time.Microsecond)
	_ = p.cmd.Process.Kill() // or it is done
	if status := p.status(); status != 0 && status != 128+int(syscall.SIGKILL) {
		return fmt.Errorf("%s: status %d, said %q", p.line, status, p.said.String())
	}
	return nil
}

func noTemporaries(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, ".zcp-*"))
	if len(left) > 0 {
		return fmt.Errorf("%q stay", left)
	}
	return err
}

// resumedMove kills moves of a tree until one is done: at each moment every file
// is whole in one of the two places.
func resumedMove(s *site) error {
	want, err := s.planted()
	if err != nil {
		return err
	}
	to := s.path("moved")
	if s.other != "" {
		to = filepath.Join(s.other, "moved")
	}
	if err := os.Mkdir(to, 0o755); err != nil { // so that nothing is renamed as a whole
		return err
	}
	words := []string{"zcp", "--move", "--resume", "-T", s.jobs(), "tree", to}
	for range s.IntN(4) {
		if err := s.killed(words); err != nil {
			return err
		}
		for name, w := range want {
			if !w.mode.IsRegular() {
				continue
			}
			source, sourceErr := os.ReadFile(filepath.Join(s.path("tree"), name))
			moved, movedErr := os.ReadFile(filepath.Join(to, name))
			if (sourceErr != nil || !bytes.Equal(source, w.data)) && (movedErr != nil || !bytes.Equal(moved, w.data)) {
				return fmt.Errorf("%q is whole in neither place: %v, %v", name, sourceErr, movedErr)
			}
		}
		if _, err := os.Lstat(s.path("tree")); err != nil {
			break // it was done
		}
	}
	if _, err := os.Lstat(s.path("tree")); err == nil {
		if err := s.run(nil, nil, words...); err != nil {
			return err
		}
	}
	got, err := look(to)
	if err != nil {
		return err
	}
	for name, w := range want {
		if g, ok := got[name]; !ok || g.mode.Type() != w.mode.Type() || !bytes.Equal(g.data, w.data) {
			return fmt.Errorf("%q did not arrive", name)
		}
		s.compared += int64(len(w.data))
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d names have become %d", len(want), len(got))
	}
	return nil
}
