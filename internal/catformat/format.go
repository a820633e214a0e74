// Package catformat changes text as cat's options -A, -b, -e, -E, -n, -s, -t,
// -T and -v do, in any combination, to the byte like GNU cat, only faster.
//
// It does no input or output. A program reads into one buffer, calls
// [Formatter.Append] to fill another, and writes that:
//
//	for src := in[:n]; len(src) > 0; {
//		out, src = f.Append(out[:0], src)
//		// write out
//	}
//
// Buffers may have any size; 128 KiB for reading and 256 KiB for writing are
// good. After the loop everything is written that does not depend on the next
// byte, so a program that runs the loop after each read suits a terminal.
//
// The output does not depend on how the input is cut into buffers or files: to
// cat all files are one text, and a line may begin in one and end in the next.
// After the last file, [Formatter.Finish] appends what was held back.
//
// The reference is GNU cat 9.11, whose format is that of all versions since 9.0.
// Older ones, with -E alone, do not show the CR of a line that ends in CR and
// newline. There is one difference: after 10^18 lines GNU cat's numbers begin
// with ">", ours go on.
//
// Each option is a stage that does not know of the others. Most stages have two
// or three variants for lines of different length. For long lines, the assembly
// of package bytes finds a newline fastest, 32 bytes at a time. For short lines,
// code without branches that depend on the text is fastest, since the processor
// cannot predict them. The stages measure the length of lines every few KiB.
// BenchmarkFormat gave the limits.
package catformat

import "bytes"

// Options are named after GNU cat's long options. The zero value changes
// nothing.
type Options struct {
	Number          bool // -n: number the lines
	NumberNonblank  bool // -b: number the lines that are not empty; overrides Number
	SqueezeBlank    bool // -s: keep only the first of several empty lines
	ShowEnds        bool // -E: "$" before each newline, and "^M" for a CR before that
	ShowTabs        bool // -T: "^I" for a tab
	ShowNonprinting bool // -v: "^" and "M-" notation for all others but newlines
}

// Room is the number of bytes that must be free in dst for Append to proceed.
const Room = 16 << 10

// A Formatter formats one text. It keeps the state between calls.
type Formatter struct {
	stages  []stage
	between [2][]byte // buffers from one stage to the next
	growth  int       // the most bytes that one byte becomes
	ends    *lineEnds // nil, or the stage that may hold back a CR
	behind  []stage   // the stages after ends
}

// A stage formats src, which is not empty, into dst and returns the length of the
// result. The caller makes dst long enough. A stage may overwrite more of dst
// than the result.
type stage func(dst, src []byte) int

const (
	// chunk is the number of bytes that a stage gets at a time: few enough to
	// be in the L1 cache when the next stage reads the result.
	chunk = 8 << 10
	// slack is more than any stage overwrites behind its result.
	slack = 4 << 10
)

// New returns a Formatter at the start of a text.
func New(o Options) *Formatter {
	f := &Formatter{growth: 1}
	if o.SqueezeBlank {
		f.stages = append(f.stages, newSqueezer().squeeze)
	}
	if o.ShowNonprinting {
		f.stages = append(f.stages, newVisualizer(o.ShowTabs, o.ShowEnds).expand)
		f.growth = maxExpansion
	} else if o.ShowTabs {
		f.stages = append(f.stages, newReplacer('\t', "^I").expand)
		f.growth = maxExpansion
	}
	if o.ShowEnds && !o.ShowNonprinting {
		f.ends = newLineEnds()
		f.stages = append(f.stages, f.ends.show)
		f.growth += maxExpansion
	}
	behind := len(f.stages)
	if o.Number || o.NumberNonblank {
		f.stages = append(f.stages, newNumberer(!o.NumberNonblank, o.ShowEnds).number)
		f.growth += maxLabel
	}
	f.behind = f.stages[behind:]
	for i := range len(f.stages) - 1 {
		f.between[i%2] = make([]byte, chunk*f.growth+slack)
	}
	return f
}

// Append formats src and appends the result to dst, as long as Room bytes are free
// in dst. It returns dst and the rest of src. It does not allocate, and may
// overwrite dst up to its capacity.
func (f *Formatter) Append(dst, src []byte) (out, rest []byte) {
	for len(src) > 0 && cap(dst)-len(dst) >= Room {
		free := dst[len(dst):cap(dst)]
		n := min(len(src), chunk, (len(free)-slack)/f.growth)
		dst = dst[:len(dst)+f.run(f.stages, free, src[:n])]
		src = src[n:]
	}
	return dst, src
}

// Finish appends a CR that was held back because a newline might have followed.
// Room bytes must be free in dst.
func (f *Formatter) Finish(dst []byte) []byte {
	if f.ends == nil || !f.ends.heldCR {
		return dst
	}
	f.ends.heldCR = false
	return dst[:len(dst)+f.run(f.behind, dst[len(dst):cap(dst)], []byte("\r"))]
}

// run passes src through the stages and appends the result to dst.
func (f *Formatter) run(stages []stage, dst, src []byte) int {
	for i, format := range stages {
		if len(src) == 0 {
			return 0
		}
		if i == len(stages)-1 {
			return format(dst, src)
		}
		buf := f.between[i%2]
		src = buf[:format(buf, src)]
	}
	return copy(dst, src)
}

const (
	// longLine is the line length from which IndexByte is faster than
	// newlineMask.
	longLine = 64
	// shortLine is the line length up to which looking up every byte is
	// faster.
	shortLine = 6
)

// spacing estimates the distance between bytes c in b.
func spacing(b []byte, c byte) int {
	b = b[:min(len(b), 1<<10)]
	return len(b) / (bytes.Count(b, []byte{c}) + 1)
}
