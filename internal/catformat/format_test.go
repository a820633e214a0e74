package catformat_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zeroutils/internal/catformat"
	"zeroutils/internal/property"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		name, letters string
		files         []string
		want          string
	}{
		{"no option changes nothing", "", []string{"a\r\n\x00\t\xff"}, "a\r\n\x00\t\xff"},
		{"no input has no output", "nbsETv", []string{""}, ""},

		{"-n numbers empty lines", "n", []string{"a\n\nb\n"}, "     1\ta\n     2\t\n     3\tb\n"},
		{"-n numbers a line that does not end", "n", []string{"a\nb"}, "     1\ta\n     2\tb"},
		{"-n does not number what does not begin", "n", []string{"a\n"}, "     1\ta\n"},
		{"-n goes on in the next file", "n", []string{"a\n", "b\n"}, "     1\ta\n     2\tb\n"},
		{"-n sees a line in two files as one", "n", []string{"a", "b\n", "c"}, "     1\tab\n     2\tc"},
		{"-b skips empty lines", "b", []string{"\na\n\n\nb\n"}, "\n     1\ta\n\n\n     2\tb\n"},
		{"-b numbers lines of blanks", "b", []string{" \n\t\n\r\n"}, "     1\t \n     2\t\t\n     3\t\r\n"},
		{"-b beats -n", "nb", []string{"\na\n"}, "\n     1\ta\n"},
		{"-b takes a line for empty by what is in it", "bE", []string{"\n$\n\n"}, "$\n     1\t$$\n$\n"},
		{"-b with -A does so too", "bA", []string{"\n$\n\n"}, "$\n     1\t$$\n$\n"},

		{"-s keeps one empty line", "s", []string{"a\n\n\n\nb\n\nc\n\n\n"}, "a\n\nb\n\nc\n\n"},
		{"-s keeps one at the start", "s", []string{"\n\n\na\n"}, "\na\n"},
		{"-s looks across files", "s", []string{"a\n\n", "\n\nb\n", "\n", "\n"}, "a\n\nb\n\n"},
		{"-s does not squeeze what only looks empty", "s", []string{"\r\n\r\n \n \n"}, "\r\n\r\n \n \n"},
		{"-n does not count what -s drops", "ns", []string{"a\n\n\n\nb\n"}, "     1\ta\n     2\t\n     3\tb\n"},
		{"-b with -s", "bs", []string{"a\n\n\n\nb\n"}, "     1\ta\n\n     2\tb\n"},

		{"-E marks ends", "E", []string{"a\n\nb"}, "a$\n$\nb"},
		{"-E shows the CR of a CRLF", "E", []string{"a\rb\r\nc\n\r\nd\r"}, "a\rb^M$\nc$\n^M$\nd\r"},
		{"-E shows only the last CR", "E", []string{"\r\r\n"}, "\r^M$\n"},
		{"-E sees a CRLF in two files", "E", []string{"1\r", "\n2\r\n"}, "1^M$\n2^M$\n"},
		{"-E sees a CR at the end of a file", "E", []string{"1\r", "2\r\n"}, "1\r2^M$\n"},
		{"-E sees an empty file between", "E", []string{"1\r", "", "\n"}, "1^M$\n"},
		{"-E sees CR after CR", "E", []string{"\r", "\r", "\r"}, "\r\r\r"},
		{"-n numbers a line that is but a CR", "nE", []string{"\r", "\n", "\r"}, "     1\t^M$\n     2\t\r"},
		{"-T leaves CRs to -E", "TE", []string{"\t\r\n\r\t"}, "^I^M$\n\r^I"},

		{"-T shows tabs only", "T", []string{"\ta\t\t\n\x00\x7f\xff\r"}, "^Ia^I^I\n\x00\x7f\xff\r"},
		{"-v leaves tabs", "v", []string{"\t\n\r\n\r"}, "\t\n^M\n^M"},
		{"-v shows control characters", "v", []string{"\x00\x01\x1b\x1f\x7f ~"}, "^@^A^[^_^? ~"},
		{"-v shows the upper half", "v", []string{"\x80\x89\x8a\x9f\xa0\xfe\xff"}, "M-^@M-^IM-^JM-^_M- M-~M-^?"},
		{"-t is -vT", "t", []string{"\t\n\x89"}, "^I\nM-^I"},
		{"-e is -vE", "e", []string{"\t\r\n"}, "\t^M$\n"},
		{"-A is -vET", "A", []string{"\t\r\n\r", "\n\xc3\xa9"}, "^I^M$\n^M$\nM-CM-)"},
		{"-n numbers with a tab that -T does not see", "nT", []string{"\t\n"}, "     1\t^I\n"},
		{"all of it", "nsA", []string{"\t\n\n\n\x80\r\n"}, "     1\t^I$\n     2\t$\n     3\tM-^@^M$\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var pieces [][]byte
			for _, file := range c.files {
				pieces = append(pieces, []byte(file))
			}
			if got := format(options(c.letters), pieces...); string(got) != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestEveryByteInItsNotation(t *testing.T) {
	for b := range 256 {
		text := bytes.Repeat([]byte{byte(b)}, 200)
		for _, letters := range []string{"v", "A", "e", "t", "T", "E"} {
			want := model(options(letters), text)
			if got := format(options(letters), text); !bytes.Equal(got, want) {
				t.Errorf("-%s of byte %#x: %s", letters, b, difference(got, want))
			}
		}
	}
}

func TestAllCombinationsAreLikeTheModel(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		o := options(rapid.SampledFrom(letters()).Draw(t, "options"))
		text := texts().Draw(t, "text")
		got := format(o, cut(t, text)...)
		if want := model(o, text); !bytes.Equal(got, want) {
			t.Fatal(difference(got, want))
		}
	})
}

func TestCutsMakeNoDifference(t *testing.T) {
	property.Check(t, property.Usual, func(t *rapid.T) {
		o := options(rapid.SampledFrom(letters()).Draw(t, "options"))
		text := texts().Draw(t, "text")
		got := format(o, cut(t, text)...)
		if want := format(o, text); !bytes.Equal(got, want) {
			t.Fatal(difference(got, want))
		}
	})
}

func FuzzFormat(f *testing.F) {
	f.Add([]byte("a\n\n\n\tb\r\n\x80"), byte(0x3f), uint16(4))
	f.Add(bytes.Repeat([]byte("\r\n$\n"), 500), byte(0x0b), uint16(1001))
	f.Fuzz(func(t *testing.T, text []byte, set byte, at uint16) {
		letters := letters()[set%64]
		i := min(int(at), len(text))
		got := format(options(letters), text[:i], text[i:])
		if want := model(options(letters), text); !bytes.Equal(got, want) {
			t.Fatalf("-%s: %s", letters, difference(got, want))
		}
	})
}

// What has been read is shown at once, all but a CR, if -E is to know what is
// behind it.
func TestNothingElseIsHeldBack(t *testing.T) {
	for _, letters := range letters() {
		o := options(letters)
		f := catformat.New(o)
		var read, got []byte
		for i, b := range []byte("ab\n\n\n\t\r\n\rc\n\n") {
			read = append(read, b)
			out, _ := f.Append(make([]byte, 0, catformat.Room), read[i:])
			got = append(got, out...)
			want := model(o, read)
			if o.ShowEnds && !o.ShowNonprinting && b == '\r' {
				want = model(o, read[:i])
			}
			if !bytes.Equal(got, want) {
				t.Errorf("-%s after %q: %s", letters, read, difference(got, want))
			}
		}
	}
}

// The worst texts come out piecemeal through a buffer of constant size.
func TestAppendKeepsWithinItsBuffer(t *testing.T) {
	for letters, unit := range map[string]string{
		"": "x", "v": "\x80", "n": "\n", "b": "x\n", "nE": "\n", "nE ": "\r\n", "bsA": "\x80\n", "s": "x\n\n",
	} {
		o := options(letters)
		text := bytes.Repeat([]byte(unit), 100_000)
		f := catformat.New(o)
		buf := make([]byte, catformat.Room)
		var got []byte
		for src := text; len(src) > 0; {
			out, rest := f.Append(buf[:0], src)
			switch {
			case len(out) == 0 && len(rest) == len(src):
				t.Fatalf("-%s: Append does not get on", letters)
			case len(rest) > 0 && cap(out)-len(out) >= catformat.Room:
				t.Fatalf("-%s: Append leaves %d bytes, though there is room", letters, len(rest))
			case &out[:1][0] != &buf[0]:
				t.Fatalf("-%s: Append made a buffer", letters)
			}
			got = append(got, out...)
			src = rest
		}
		got = append(got, f.Finish(buf[:0])...)
		if want := model(o, text); !bytes.Equal(got, want) {
			t.Errorf("-%s: %s", letters, difference(got, want))
		}
	}
}

func TestAppendStartsAtTheEndOfDst(t *testing.T) {
	f := catformat.New(options("nE"))
	out, rest := f.Append(append(make([]byte, 0, catformat.Room+2), "> "...), []byte("a\r"))
	out = f.Finish(append(make([]byte, 0, catformat.Room+100), out...))
	if string(out) != ">      1\ta\r" || len(rest) != 0 {
		t.Errorf("got %q, rest %q", out, rest)
	}
}

func TestAppendWithoutRoomDoesNothing(t *testing.T) {
	f := catformat.New(options("n"))
	src := []byte("a")
	if out, rest := f.Append(make([]byte, 0, catformat.Room-1), src); len(out) != 0 || len(rest) != 1 {
		t.Errorf("got %q, rest %q", out, rest)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	text := []byte(strings.Repeat("a\n\n\n\tb\r\n\x80", 2000) + strings.Repeat(strings.Repeat("x", 500)+"\r\n", 50))
	out := make([]byte, 0, 64*len(text))
	for _, letters := range letters() {
		f := catformat.New(options(letters))
		if n := testing.AllocsPerRun(2, func() { f.Append(out, text) }); n != 0 {
			t.Errorf("-%s: %v allocations", letters, n)
		}
	}
}

func ExampleFormatter() {
	f := catformat.New(catformat.Options{NumberNonblank: true, ShowEnds: true})
	out := make([]byte, 0, 32<<10)
	for _, in := range []string{"two files,\r\n\none ", "text\n"} {
		for src := []byte(in); len(src) > 0; {
			out, src = f.Append(out[:0], src)
			fmt.Printf("%s", out)
		}
	}
	fmt.Printf("%s", f.Finish(out[:0]))
	// Output:
	//      1	two files,^M$
	// $
	//      2	one text$
}
