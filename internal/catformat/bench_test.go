package catformat_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"zeroutils/internal/catformat"
)

// BenchmarkFormat formats 2 MiB in buffers of 128 KiB. Lines of "0-100" bytes
// are of random length, which a processor cannot predict, unlike the others.
func BenchmarkFormat(b *testing.B) {
	const buffer, size = 128 << 10, 2 << 20
	repeat := func(line string) []byte { return bytes.Repeat([]byte(line), size/len(line)) }
	r := rand.New(rand.NewPCG(1, 2))
	var mixed []byte
	for len(mixed) < size {
		mixed = append(append(mixed, strings.Repeat("x", r.IntN(101))...), '\n')
	}
	texts := []struct {
		name string
		text []byte
	}{
		{"1", repeat("y\n")},
		{"3", repeat("abc\n")},
		{"72", repeat(strings.Repeat("x", 72) + "\n")},
		{"0-100", mixed},
		{"100k", repeat(strings.Repeat("x", 100_000) + "\n")},
	}
	out := make([]byte, 0, 2*buffer)
	for _, letters := range []string{"n", "b", "s", "E", "T", "v", "A", "e", "t", "ns", "bs", "nE"} {
		for _, c := range texts {
			b.Run(letters+"/"+c.name, func(b *testing.B) {
				b.SetBytes(int64(len(c.text)))
				for b.Loop() {
					f := catformat.New(options(letters))
					for text := c.text; len(text) > 0; {
						n := min(buffer, len(text))
						for src := text[:n]; len(src) > 0; {
							out, src = f.Append(out[:0], src)
						}
						text = text[n:]
					}
				}
			})
		}
	}
}
