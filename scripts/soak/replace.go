package main

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// replaceFile copies over a file that somebody reads all the time: with --atomic
// they see the old bytes or the new ones, and nothing else.
func replaceFile(s *site) error {
	old, err := s.file("file", 1<<20)
	if err != nil {
		return err
	}
	contents := [][]byte{old}
	for i := range 2 + s.IntN(5) {
		next, err := s.file(fmt.Sprint("new", i), 1<<20)
		if err != nil {
			return err
		}
		contents = append(contents, next)
	}
	stop, seen := make(chan struct{}), make(chan error, 1)
	go func() { seen <- watchFile(s.path("file"), contents, stop) }()
	for i := range len(contents) - 1 {
		words := []string{"zcp", "--atomic"}
		if s.IntN(2) == 0 {
			words = append(words, pick(s, "--verify", "--fsync", "-p", "--reflink=never"))
		}
		if err := s.run(nil, nil, append(words, fmt.Sprint("new", i), "file")...); err != nil {
			close(stop)
			return err
		}
	}
	close(stop)
	if err := <-seen; err != nil {
		return err
	}
	return s.has(s.path("file"), contents[len(contents)-1])
}

func watchFile(name string, contents [][]byte, stop chan struct{}) error {
	for {
		got, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		known := false
		for _, c := range contents {
			known = known || bytes.Equal(got, c)
		}
		if !known {
			return fmt.Errorf("%s has %d bytes that it never should have", name, len(got))
		}
		select {
		case <-stop:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
}
