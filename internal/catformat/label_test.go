package catformat

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// numberAt is the label that comes before n.
func numberAt(n uint64) label {
	text := fmt.Sprintf("%7d\t", n-1)
	wide := len(text) - 8
	l := newNumber()
	l.low = load([]byte(text[wide:]))
	l.wide = copy(l.head[:], text[:wide])
	if text[wide] != ' ' {
		l.skip, l.size = 0, 8
	}
	return l
}

func TestNumbersCountOn(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, n uint64) {
		l := numberAt(n)
		for i := range uint64(25) {
			l.advance()
			buf := make([]byte, maxLabel)
			got := string(buf[:l.put(buf)])
			if want := fmt.Sprintf("%6d\t", n+i); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
	for n := uint64(10); n > 0 && n < 1e19; n *= 10 {
		check(t, n-9)
	}
	for _, n := range []uint64{1, 29_999_990, 1_239_999_990} {
		check(t, n)
	}
	property.Check(t, property.Usual, func(t *rapid.T) {
		check(t, rapid.Uint64Range(1, 1<<64-100).Draw(t, "n"))
	})
}

// GNU cat, whose counter has 18 digits, would go on with ">00000000000000000".
func TestNumbersHaveMoreThan18Digits(t *testing.T) {
	l := numberAt(999_999_999_999_999_999)
	var got strings.Builder
	for range 2 {
		l.advance()
		buf := make([]byte, maxLabel)
		got.Write(buf[:l.put(buf)])
	}
	if want := "999999999999999999\t1000000000000000000\t"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

// Lines of all lengths have wide numbers, too.
func TestWideNumbers(t *testing.T) {
	for _, start := range []uint64{999_990, 9_999_990, 99_999_999_990, 999_999_999_999_999_990, 9_999_999_999_999_999_990} {
		for _, length := range []int{0, 1, 15, 63, 64, 65, 200} {
			f := newNumberer(true, false)
			f.next = numberAt(start)
			line := strings.Repeat("x", length) + "\n"
			var want strings.Builder
			for i := range uint64(300) {
				fmt.Fprintf(&want, "%6d\t%s", start+i, line)
			}
			buf := make([]byte, want.Len()+slack)
			n := f.number(buf, []byte(strings.Repeat(line, 300)))
			if string(buf[:n]) != want.String() {
				t.Errorf("wrong from line %d on, with lines of %d bytes", start, length)
			}
		}
	}
}

func TestASqueezerDropsWhatFollowsTwoNewlines(t *testing.T) {
	threes := regexp.MustCompile("\n{3,}")
	property.Check(t, property.Usual, func(t *rapid.T) {
		bytes := rapid.SampledFrom([]byte("\n\n\x0b\x8aa"))
		if rapid.Bool().Draw(t, "long lines") {
			bytes = rapid.SampledFrom([]byte("\n" + strings.Repeat("a", 99)))
		}
		text := rapid.SliceOfN(bytes, 0, 800).Draw(t, "text")
		s, got := newSqueezer(), []byte{}
		for rest := text; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			buf := make([]byte, n+slack)
			got = append(got, buf[:s.squeeze(buf, rest[:n])]...)
			rest = rest[n:]
		}
		want := threes.ReplaceAllString("\n"+string(text), "\n\n")[1:]
		if string(got) != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestNewlineMask(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		var b [128]byte
		copy(b[:], rapid.SliceOfN(rapid.SampledFrom([]byte("\n\x09\x0b\x8a\x8b\x00\xff")), 64, 128).Draw(t, "b"))
		mask := newlineMask(&b)
		for i := range 64 {
			if got, want := mask>>i&1 == 1, b[i] == '\n'; got != want {
				t.Fatalf("bit %d is %v", i, got)
			}
		}
	})
}
