package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// sharedOutput has several tools write to one open file: every byte of each arrives.
func sharedOutput(s *site) error {
	out, err := os.Create(s.path("out"))
	if err != nil {
		return err
	}
	defer out.Close()
	var lines []int // of each tool
	var size int
	var running []*process
	for i := range 2 + s.IntN(2) {
		lines = append(lines, 1+s.IntN(100_000))
		text := strings.Repeat(fmt.Sprintf("%d: a line of a tool\n", i), lines[i])
		size += len(text)
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
	if err := allSucceed(running); err != nil {
		return err
	}
	got, err := os.ReadFile(s.path("out"))
	if err != nil {
		return err
	}
	if len(got) != size {
		return fmt.Errorf("out has %d bytes, not %d", len(got), size)
	}
	for i, want := range lines {
		if n := bytes.Count(got, fmt.Append(nil, i)); n != want {
			return fmt.Errorf("out has %d lines of tool %d, not %d", n, i, want)
		}
	}
	s.mu.Lock()
	s.compared += int64(size)
	s.mu.Unlock()
	return nil
}
