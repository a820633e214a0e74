package meter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Format is a line as pv's --format describes it, byte for byte as pv 1.12
// writes it. Unlike [Style.Line], it leaves nothing out where there is little
// room: the line is then wider than the terminal, as pv's is.
type Format struct {
	Look
	parts []part
}

// A Look is how a Format writes numbers and bars.
type Look struct {
	Name    string
	Named   bool // there is a name, perhaps an empty one
	Lines   bool // lines are counted, not bytes
	Bits    bool // bytes are shown as bits
	SI      bool // in powers of 1000
	Gauge   bool // without a total, a bar shows the rate as a part of the highest
	Numeric bool // numbers for programs
	Bar     BarStyle
	Colours bool // the terminal has colours
}

// Seen is what a Format can show besides a State.
type Seen struct {
	Tail   []byte // what was written last, the newest byte at the end; nil if nobody looks
	Line   []byte // the line that was written last
	Buffer string // how full the buffer is: "{  0%}"
}

// A part of a format is text or something to be filled in.
type part struct {
	kind  string // "" is text
	text  string
	width int // 0 is what the other parts leave
}

// The kinds of parts by their letters. The long names are the kinds themselves.
var letters = map[byte]string{
	'p': "progress", 't': "timer", 'e': "eta", 'I': "fineta", 'r': "rate", 'a': "average-rate",
	'b': "bytes", 'T': "buffer-percent", 'A': "last-written", 'L': "previous-line", 'N': "name",
}

var longNames = map[string]string{
	"progress": "progress", "progress-amount-only": "amount", "progress-bar-only": "bar", "progress-conemu": "conemu",
	"bar-plain": "bar-plain", "bar-block": "bar-block", "bar-granular": "bar-granular", "bar-shaded": "bar-shaded",
	"timer": "timer", "eta": "eta", "fineta": "fineta", "rate": "rate", "average-rate": "average-rate",
	"bytes": "bytes", "transferred": "bytes", "ratio": "ratio", "buffer-percent": "buffer-percent",
	"last-written": "last-written", "previous-line": "previous-line", "name": "name",
}

// ParseFormat reads a format. What it does not know stays in the line as it is.
func ParseFormat(text string, look Look) Format {
	f := Format{Look: look}
	for text != "" {
		p, rest := nextPart(text)
		f.parts = append(f.parts, p)
		text = rest
	}
	return f
}

func nextPart(text string) (p part, rest string) {
	i := strings.IndexByte(text, '%')
	switch {
	case i < 0:
		return part{text: text}, ""
	case i > 0:
		return part{text: text[:i]}, text[i:]
	case strings.HasPrefix(text, "%%"):
		return part{text: "%"}, text[2:]
	}
	end := 1
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	width, _ := strconv.Atoi(text[1:end]) // 0 if there is none, the largest int if it is larger
	width = min(width, widestPart)
	switch {
	case end == len(text):
	case letters[text[end]] != "":
		return part{kind: letters[text[end]], width: width}, text[end+1:]
	case text[end] == '{':
		name, behind, closed := strings.Cut(text[end+1:], "}")
		if colours, isColour := strings.CutPrefix(name, "sgr:"); closed && isColour {
			return part{kind: "sgr", text: colours}, behind
		}
		if kind := longNames[name]; closed && kind != "" {
			return part{kind: kind, width: width}, behind
		}
	}
	return part{text: text[:end]}, text[end:]
}

// widestPart bounds the columns that a format may ask for. It is also the
// widest line that zpipe draws.
const widestPart = 10_000

// longestTail is how many bytes last-written shows in pv at most.
const longestTail = 256

// Has reports whether the format shows one of the parts, by their long names.
func (f Format) Has(kinds ...string) bool {
	for _, p := range f.parts {
		for _, kind := range kinds {
			if p.kind == kind {
				return true
			}
		}
	}
	return false
}

// LongestTail is how many bytes last-written shows at most.
func (f Format) LongestTail() (n int) {
	for _, p := range f.parts {
		if p.kind == "last-written" {
			n = max(n, min(p.width, longestTail))
		}
	}
	return n
}

// expands reports whether a part takes what the others leave.
func (p part) expands() bool {
	switch p.kind {
	case "progress", "bar", "bar-plain", "bar-block", "bar-granular", "bar-shaded", "previous-line":
		return p.width == 0
	}
	return false
}

// Line shows a state in a line of a width.
func (f Format) Line(st State, seen Seen, width int) string {
	texts := make([]string, len(f.parts))
	expanding := 0
	for i, p := range f.parts {
		if p.expands() {
			expanding++
			continue
		}
		texts[i] = f.fill(p, st, seen, p.width)
		if p.kind != "sgr" && p.kind != "conemu" {
			width -= utf8.RuneCountInString(texts[i])
		}
	}
	for i, p := range f.parts {
		if p.expands() {
			texts[i] = f.fill(p, st, seen, width/expanding)
		}
	}
	line := strings.Join(texts, "")
	if f.Colours && f.endsColoured() {
		line += "\x1b[m"
	}
	return line
}

// fill is the text of a part. Width is that of bars and of what was written.
func (f Format) fill(p part, st State, seen Seen, width int) string {
	switch p.kind {
	case "":
		return p.text
	case "sgr":
		return f.colours(p.text)
	case "progress":
		return f.progress(st, width)
	case "bar":
		return f.bare(f.Bar, st, width)
	case "bar-plain", "bar-block", "bar-granular", "bar-shaded":
		style, _ := ParseBarStyle(strings.TrimPrefix(p.kind, "bar-"))
		return f.bare(style, st, width)
	case "amount":
		return f.share(st)
	case "conemu":
		return f.conemu(st)
	case "timer":
		if f.Numeric {
			return decimal(st.Elapsed.Seconds())
		}
		return clock(st.Elapsed)
	case "eta":
		return ifTotal(st, f.eta)
	case "fineta":
		return ifTotal(st, f.finish)
	case "rate":
		return f.rate(ended(st, st.Rate), "[]")
	case "average-rate":
		return f.rate(ended(st, st.Recent), "()")
	case "bytes":
		return f.count(st.Count)
	case "ratio":
		return "-:-" // known only to pv --monitor
	case "buffer-percent":
		return seen.Buffer
	case "last-written":
		return lastWritten(seen.Tail, width)
	case "previous-line":
		return previousLine(seen.Line, width)
	}
	if !f.Named {
		return "" // of a name
	}
	return blanks(nameWidth-len(f.Name)) + f.Name + ":" // pv counts bytes
}

// eta is the time left, which leaves its width when all is done.
func (f Format) eta(st State) string {
	text := "ETA " + clockOf(st.secondsLeft())
	if st.Done {
		return blanks(len(text))
	}
	return text
}

// finish is the time of the end, with the date if it is more than six hours
// away.
func (f Format) finish(st State) string {
	left := st.secondsLeft()
	at := time.Unix(st.Now.Unix()+left, 0)
	if left > 6*60*60 {
		return "FIN " + at.Format(time.DateTime)
	}
	return "FIN " + at.Format(time.TimeOnly)
}

// count is how much has arrived.
func (f Format) count(n int64) string {
	if f.Bits && !f.Lines {
		n *= 8
	}
	if f.Numeric {
		return strconv.FormatInt(n, 10)
	}
	return f.quantity(float64(n))
}

// rate is what arrives per second, between brackets.
func (f Format) rate(v float64, brackets string) string {
	if f.Bits && !f.Lines {
		v *= 8
	}
	if f.Numeric {
		return decimal(v)
	}
	return brackets[:1] + f.quantity(v) + "/s" + brackets[1:]
}

// quantity shows a number of bytes, bits or lines.
func (f Format) quantity(v float64) string {
	unit := "B"
	if f.Bits {
		unit = "b"
	}
	switch {
	case f.Lines:
		return number(v)
	case f.SI:
		return number(v) + unit
	}
	scaledTo, power := scaled(v, 1024)
	if power == 0 {
		return digits(scaledTo) + "  " + unit
	}
	return digits(scaledTo) + binaryPrefixes[power:power+1] + "i" + unit
}

// share is how much of the whole has arrived, or how high the rate was at most.
func (f Format) share(st State) string {
	switch {
	case f.Numeric && st.Total > 0:
		return strconv.FormatInt(int64(math.Round(st.Fraction()*100)), 10)
	case f.Numeric:
		return strconv.Itoa(st.swing())
	case st.Total > 0:
		return fmt.Sprintf("%3d%%", st.Percent())
	case f.Gauge:
		return strings.Trim(f.rate(st.Highest, "[]"), "[]")
	}
	return ""
}

// lastWritten shows n bytes, those that are not printable as dots.
func lastWritten(tail []byte, n int) string {
	n = min(n, longestTail)
	tail = tail[max(0, len(tail)-n):]
	return strings.Repeat(".", n-len(tail)) + mapBytes(tail, '.')
}

// previousLine shows the beginning of a line, bytes that are not printable as
// blanks.
func previousLine(line []byte, n int) string {
	if n <= 0 {
		return ""
	}
	line = line[:min(len(line), n)]
	return mapBytes(line, ' ') + blanks(n-len(line))
}

func mapBytes(text []byte, unprintable byte) string {
	shown := make([]byte, len(text))
	for i, c := range text {
		if c < ' ' || c > '~' {
			c = unprintable
		}
		shown[i] = c
	}
	return string(shown)
}
