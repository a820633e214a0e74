package catformat_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
	"zeroutils/internal/testfs"
)

// gnuCat returns a function that formats files by the cat of this machine, if
// that is GNU's of version 9 or newer.
func gnuCat(t *testing.T) func(letters string, files ...[]byte) []byte {
	path := testfs.Need(t, "cat")
	version, _ := exec.Command(path, "--version").Output()
	if !regexp.MustCompile(`^cat \(GNU coreutils\) (9|\d\d)\.`).Match(version) {
		testfs.Unavailable(t, path+" is not GNU cat 9")
	}
	dir := t.TempDir()
	return func(letters string, files ...[]byte) []byte {
		args := []string{"--"}
		if letters != "" {
			args = []string{"-" + letters, "--"}
		}
		for i, file := range files {
			name := filepath.Join(dir, strconv.Itoa(i))
			if err := os.WriteFile(name, file, 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, name)
		}
		out, err := exec.Command(path, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func TestAllCombinationsAreLikeCats(t *testing.T) {
	cat := gnuCat(t)
	r := rand.New(rand.NewPCG(1, 2))
	var text []byte
	for _, line := range []int{2, 10, 40, 100, 1000} {
		for range 4000 / line {
			text = append(text, strings.Repeat("x\x80", r.IntN(line))...)
			text = append(text, "\n\n\n\r\r\r\t\x00\x1f\x7f\x80\xff"[r.IntN(12)], "\n\n\nx"[r.IntN(4)])
		}
	}
	for _, letters := range append(letters(), "A", "e", "t", "nA", "bsA") {
		files := [][]byte{text[:3000], text[3000:3001], nil, text[3001:]}
		got := format(options(letters), files...)
		if want := cat(letters, files...); !bytes.Equal(got, want) {
			t.Errorf("-%s: %s", letters, difference(got, want))
		}
	}
}

func TestRandomTextsAreLikeCats(t *testing.T) {
	cat := gnuCat(t)
	property.Check(t, property.Usual, func(t *rapid.T) {
		letters := rapid.SampledFrom(letters()).Draw(t, "options")
		text := texts().Draw(t, "text")
		files := cut(t, text)
		got := format(options(letters), files...)
		if want := cat(letters, files...); !bytes.Equal(got, want) {
			t.Fatal(difference(got, want))
		}
	})
}

// A line's end in two of cat's own buffers, of 128 or 256 KiB, is one as well.
func TestEndsOfBuffersAreLikeCats(t *testing.T) {
	cat := gnuCat(t)
	for size := 1 << 16; size <= 1<<18; size <<= 1 {
		for _, end := range []string{"\r\n", "\r\r\n", "\n\n\n", "\rx"} {
			text := []byte(strings.Repeat("x", size-1) + end + end + "x\r")
			for _, letters := range []string{"E", "ET", "nE", "bsE", "s", "A"} {
				got := format(options(letters), text)
				if want := cat(letters, text); !bytes.Equal(got, want) {
					t.Errorf("-%s, %d: %s", letters, size, difference(got, want))
				}
			}
		}
	}
}

func TestNumbersPastAMillionAreLikeCats(t *testing.T) {
	cat := gnuCat(t)
	text := bytes.Repeat([]byte("\n"), 1_000_100)
	got := format(options("n"), text)
	if want := cat("n", text); !bytes.Equal(got, want) {
		t.Error(difference(got, want))
	}
}
