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
// The sizes of the buffers are up to the program, whatever the text; 128 KiB to
// read and twice that to write are good. After this loop all is written that can
// be told yet, so a program that runs it after each read serves a person at a
// terminal.
//
// How the input is cut into buffers makes no difference to the output. Neither
// does how it is cut into files: to cat they are one text, and a line may begin
// in one and end in another. Only after the last file there is something to do,
// [Formatter.Finish].
//
// The reference is GNU cat 9.11. Its format is that of all versions since 9.0
// (older ones do not show the CR of a line that ends in CR and newline, with -E
// alone). One difference nobody will live to see: GNU cat's line numbers begin
// with ">" when 18 digits are not enough, and ours go on.
//
// Each option is a stage that need not know of the others, and most stages do
// the same in two or three ways. Long lines are best left to package bytes,
// whose assembly looks for a newline in 32 bytes at a time. With short lines
// what counts is not to have branches that depend on the text, since they cannot
// be predicted. The stages look at the length of the lines every few KiB; the
// limits are from BenchmarkFormat.
package catformat

import "bytes"

// Options say what to do, in the words of GNU cat's long options. The zero
// value changes nothing.
type Options struct {
	Number          bool // -n: number the lines
	NumberNonblank  bool // -b: number those that are not empty, whatever Number says
	SqueezeBlank    bool // -s: keep only the first of several empty lines
	ShowEnds        bool // -E: "$" before each newline, and "^M" for a CR before that
	ShowTabs        bool // -T: "^I" for a tab
	ShowNonprinting bool // -v: "^" and "M-" notation for all else but newlines
}

// Room is how many bytes must be free in dst for Append to get on.
const Room = 16 << 10

// A Formatter formats one text, and keeps what must be known of its past.
type Formatter struct {
	stages  []stage
	between [2][]byte // what one stage hands to the next
	growth  int       // how many bytes one byte becomes at most
	ends    *lineEnds // nil, or the stage that may hold back a CR
	behind  []stage   // the stages behind that
}

// A stage writes what becomes of src, which is not empty, to the start of dst,
// and returns its length. The caller sees to it that dst is long enough. A stage
// may leave rubbish in dst behind what it wrote.
type stage func(dst, src []byte) int

const (
	// chunk is how much a stage is given at a time: little enough to be in
	// the L1 cache still when the next stage reads what came of it.
	chunk = 8 << 10
	// slack is more than any stage's rubbish.
	slack = 4 << 10
)

// New returns a Formatter for a text that is to begin.
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

// Append appends to dst what becomes of src, as long as Room bytes are free in
// dst. It returns dst and the rest of src that it did not get to. It does not
// allocate, and may leave rubbish between the length and the capacity of dst.
func (f *Formatter) Append(dst, src []byte) (out, rest []byte) {
	for len(src) > 0 && cap(dst)-len(dst) >= Room {
		free := dst[len(dst):cap(dst)]
		n := min(len(src), chunk, (len(free)-slack)/f.growth)
		dst = dst[:len(dst)+f.run(f.stages, free, src[:n])]
		src = src[n:]
	}
	return dst, src
}

// Finish appends what was held back to the very end: a CR that might have been
// the end of a line. Room bytes must be free in dst.
func (f *Formatter) Finish(dst []byte) []byte {
	if f.ends == nil || !f.ends.heldCR {
		return dst
	}
	f.ends.heldCR = false
	return dst[:len(dst)+f.run(f.behind, dst[len(dst):cap(dst)], []byte("\r"))]
}

// run sends src through the stages and what comes out to dst.
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
	// longLine is the length from which on IndexByte is faster than
	// newlineMask.
	longLine = 64
	// shortLine is the length up to which it is faster to look up every
	// byte.
	shortLine = 6
)

// spacing estimates how far apart bytes c are in b.
func spacing(b []byte, c byte) int {
	b = b[:min(len(b), 1<<10)]
	return len(b) / (bytes.Count(b, []byte{c}) + 1)
}
