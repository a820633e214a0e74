package main

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// A header of newc is 110 bytes: a magic number and 13 numbers of 8 digits.
func TestAnArchiveHasEachDirectoryOnceAndBeforeItsFiles(t *testing.T) {
	a := &archive{}
	a.file("a/b/one", 0o644, []byte("12345"))
	a.file("a/two", 0o755, nil)
	data := a.end()
	var names []string
	for len(data) > 0 {
		if !bytes.HasPrefix(data, []byte("070701")) {
			t.Fatalf("no header at %q", data[:min(len(data), 20)])
		}
		number := func(i int) int {
			b, err := hex.DecodeString(string(data[6+8*i : 14+8*i]))
			if err != nil {
				t.Fatal(err)
			}
			return int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		}
		size, length := number(6), number(11)
		names = append(names, string(data[110:110+length-1]))
		data = data[(110+length+3)&^3:]
		data = data[(size+3)&^3:]
	}
	if got := strings.Join(names, " "); got != "a a/b a/b/one a/two TRAILER!!!" {
		t.Error(got)
	}
}
