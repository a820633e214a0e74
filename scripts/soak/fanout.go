package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

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
	return s.allHave(files, data)
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
