package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A site is where one scene is played.
type site struct {
	*soak
	*rand.Rand
	ctx        context.Context
	dir, other string // directories of its own, the second one elsewhere or ""

	mu       sync.Mutex
	ran      []string // command lines
	running  []*process
	compared int64
}

// A process is a tool that runs.
type process struct {
	cmd   *exec.Cmd
	line  string
	said  bytes.Buffer
	ended chan struct{}
}

// start starts a tool, which gets the files; nil is /dev/null.
func (s *site) start(in, out *os.File, words ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(s.ctx, filepath.Join(s.tools, words[0]), words[1:]...), ended: make(chan struct{})}
	p.cmd.Args[0] = words[0]
	p.line = strings.Join(words, " ")
	p.cmd.Dir = s.dir
	p.cmd.Env = []string{"PATH=" + s.tools + ":/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "COLUMNS=80"}
	p.cmd.Stderr = &p.said
	p.cmd.WaitDelay = 10 * time.Second
	if in != nil {
		defer in.Close()
		p.cmd.Stdin = in
	}
	if out != nil {
		defer out.Close()
		p.cmd.Stdout = out
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.ran = append(s.ran, p.line)
	s.running = append(s.running, p)
	s.mu.Unlock()
	s.watch.add(words[0], p.cmd.Process.Pid)
	go func() {
		_ = p.cmd.Wait() // the state says it
		s.watch.remove(p.cmd.Process.Pid)
		close(p.ended)
	}()
	return p, nil
}

// run starts a tool and waits until it succeeds.
func (s *site) run(in, out *os.File, words ...string) error {
	p, err := s.start(in, out, words...)
	if err != nil {
		return err
	}
	return p.succeeds()
}

// succeeds waits for status 0 and silence. What zcp --resume cannot continue it
// may say.
func (p *process) succeeds() error {
	status, said := p.status(), p.said.String()
	for line := range strings.Lines(said) {
		if !strings.Contains(line, ": starting over with ") {
			return fmt.Errorf("%s: status %d, said %q", p.line, status, said)
		}
	}
	if status != 0 {
		return fmt.Errorf("%s: status %d, said %q", p.line, status, said)
	}
	return nil
}

func allSucceed(running []*process) error {
	for _, p := range running {
		if err := p.succeeds(); err != nil {
			return err
		}
	}
	return nil
}

// status is that of a shell: 128 more than the signal it died of.
func (p *process) status() int {
	<-p.ended
	state := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if state.Signaled() {
		return 128 + int(state.Signal())
	}
	return state.ExitStatus()
}

// end kills what a failed scene has left.
func (s *site) end() {
	for _, p := range s.running {
		select {
		case <-p.ended:
		default:
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	}
}

// path is that of a file in the scene's directory.
func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// size draws a size: next to those of pages and pipes, or any up to a limit.
func (s *site) size(most int) int {
	edges := []int{0, 1, 4096, 65536, 128 << 10, 1 << 20, 2 << 20}
	n := edges[s.IntN(len(edges))] + s.IntN(5) - 2
	if s.IntN(2) == 0 {
		n = s.IntN(most)
	}
	return max(0, min(n, most))
}

// data draws bytes. No other draw is alike unless it overlaps.
func (s *site) data(most int) []byte {
	n := s.size(min(most, len(noise)))
	at := s.IntN(len(noise) - n + 1)
	return noise[at : at+n]
}

// file writes a file of drawn bytes.
func (s *site) file(name string, most int) ([]byte, error) {
	data := s.data(most)
	return data, os.WriteFile(s.path(name), data, 0o644)
}

// pick draws one of several.
func pick[T any](s *site, from ...T) T { return from[s.IntN(len(from))] }

// feed writes to a pipe or connection in pieces, some of them late.
func (s *site) feed(w io.WriteCloser, data []byte) {
	defer w.Close()
	rng := rand.New(rand.NewPCG(s.Uint64(), 1))
	pieces := 1 + rng.IntN(20)
	for len(data) > 0 {
		n := min(len(data), 1+rng.IntN(2*len(data)/pieces+1))
		if _, err := w.Write(data[:n]); err != nil {
			return // the reader says why
		}
		data = data[n:]
		if rng.IntN(8) == 0 {
			time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
		}
	}
}

// feeding returns a pipe's end that feed writes to.
func (s *site) feeding(data []byte) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	seeded := &site{Rand: rand.New(rand.NewPCG(s.Uint64(), 2))}
	go seeded.feed(w, data)
	return r, nil
}

// reads compares what comes with what should.
func (s *site) reads(r io.Reader, want ...[]byte) error {
	got := make([]byte, 64<<10)
	at := int64(0)
	for _, part := range want {
		for len(part) > 0 {
			n, err := io.ReadFull(r, got[:min(len(got), len(part))])
			if i := mismatch(got[:n], part); i < n {
				return fmt.Errorf("differs at byte %d", at+int64(i))
			}
			at += int64(n)
			if err != nil {
				return fmt.Errorf("ends after %d bytes: %w", at, err)
			}
			part = part[n:]
		}
	}
	s.mu.Lock()
	s.compared += at
	s.mu.Unlock()
	switch n, err := io.ReadFull(r, got[:1]); {
	case n > 0:
		return fmt.Errorf("goes on after %d bytes", at)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("after %d bytes: %w", at, err)
	}
	return nil
}

// mismatch is where two begin to differ.
func mismatch(got, want []byte) int {
	if bytes.Equal(got, want[:len(got)]) {
		return len(got)
	}
	for i := range got {
		if got[i] != want[i] {
			return i
		}
	}
	return len(got)
}

// has compares a file.
func (s *site) has(name string, want ...[]byte) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.reads(f, want...); err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	return nil
}

// allHave compares files that hold the same.
func (s *site) allHave(names []string, want []byte) error {
	for _, name := range names {
		if err := s.has(s.path(name), want); err != nil {
			return err
		}
	}
	return nil
}

// begins reports whether a file is a beginning of what it should be.
func (s *site) begins(name string, want []byte) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.Size() > int64(len(want)) {
		return fmt.Errorf("%s has %d bytes too many", name, info.Size()-int64(len(want)))
	}
	return s.has(name, want[:info.Size()])
}
