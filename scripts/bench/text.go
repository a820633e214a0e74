package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Cases that format text have an input "text.N" of lines N bytes long, and no
// stream to compare their output with: what the first contender makes of it is
// right.

// columns returns the length of the lines of a case about text, or 0.
func (c benchCase) columns() int {
	for _, word := range c.commands[0].argv {
		if digits, ok := strings.CutPrefix(word, "text."); ok {
			n, _ := strconv.Atoi(digits)
			return n
		}
	}
	return 0
}

// makeText writes lines of words and numbers, and an empty one now and then.
func (l *lane) makeText(columns int) error {
	f, err := os.Create(l.path(fmt.Sprintf("text.%d", columns)))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, bigPipe)
	words := strings.Repeat("the quick brown fox jumps over the lazy dog 0123456789\t", columns/50+2)
	for written, i := int64(0), 0; written < l.length; i++ {
		line := words[i%50 : i%50+columns-1]
		if i%16 == 15 {
			line = ""
		}
		n, err := fmt.Fprintln(w, line)
		if err != nil {
			return err
		}
		written += int64(n)
	}
	return w.Flush()
}

// checkFormatted compares what a tool has made with what the first one made.
func (l *lane) checkFormatted() error {
	f, err := os.Open(l.path("out"))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	got := string(sum.Sum(nil))
	if l.formatted == "" {
		l.formatted = got
	}
	if got != l.formatted {
		return fmt.Errorf("other bytes than the first contender's")
	}
	return nil
}
