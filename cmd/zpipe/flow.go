package main

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// flowFlags are the options of how much may pass, and when.
func flowFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "size", Aliases: []string{"s"}, Usage: "take `SIZE` for the whole, in bytes or with a unit, 1.5G; @FILE is the size of a file or tree"},
		&cli.BoolFlag{Name: "stop-at-size", Aliases: []string{"S"}, Usage: "stop when the SIZE of -s has passed"},
		&cli.StringFlag{Name: "rate-limit", Aliases: []string{"L"}, Usage: "let at most `RATE` bytes pass a second, evenly; 0 is no limit"},
		&cli.StringFlag{Name: "buffer", Usage: "hold up to `SIZE` bytes for a SINK that is slow, in pipes, or in memory beyond what these hold"},
		&cli.StringFlag{Name: "fill", Usage: "let nothing pass before `PERCENT` of the buffer is filled, nor when it has run empty"},
		&cli.StringFlag{Name: "stall", Usage: "say so when nothing has passed for `SECONDS`, and what is waited for"},
	}
}

// A flow is how much may pass, and when.
type flow struct {
	size  int64 // of the whole, as -s has it; 0 is unknown
	stop  bool  // at the size
	rate  float64
	stall time.Duration // 0 is not looked for

	buffer splice.Buffer // of size 0 if there is none
}

func newFlow(inv *tool.Invocation) (f flow, err error) {
	if inv.Flags.IsSet("size") {
		if f.size, err = readSize(inv.Flags.String("size")); err != nil {
			return f, err
		}
	}
	if s := inv.Flags.String("rate-limit"); inv.Flags.IsSet("rate-limit") {
		if f.rate, err = tool.Rate("rate", s); err != nil {
			return f, err
		}
	}
	if s := inv.Flags.String("stall"); inv.Flags.IsSet("stall") {
		if f.stall, err = tool.Seconds("number of seconds", s); err != nil {
			return f, err
		}
	}
	f.stop = inv.Flags.Bool("stop-at-size")
	return f, f.readBuffer(inv)
}

func (f *flow) readBuffer(inv *tool.Invocation) error {
	if inv.Flags.IsSet("buffer") {
		size, err := tool.Bytes("buffer size", inv.Flags.String("buffer"))
		if err != nil {
			return err
		}
		f.buffer.Size = int(min(size, math.MaxInt))
	}
	if !inv.Flags.IsSet("fill") {
		return nil
	}
	text := inv.Flags.String("fill")
	percent, err := strconv.ParseUint(strings.TrimSuffix(text, "%"), 10, 7)
	if err != nil || percent > 100 {
		return tool.UsageErrorf("invalid percentage: %s", tool.QuoteLocale(text))
	}
	if f.buffer.Size == 0 {
		return tool.UsageErrorf("--fill needs a --buffer")
	}
	f.buffer.Fill = int(percent)
	return nil
}

// copy copies, by way of the buffer if the pipes on both sides hold less.
func (f *flow) copy(c *splice.Copier, dst, src *splice.Descriptor, o splice.Options) (splice.Report, error) {
	if f.buffer.Fill == 0 && f.buffer.Size <= capacity(dst)+capacity(src) {
		return c.Copy(dst, src, o)
	}
	return c.CopyBuffered(dst, src, f.buffer, o)
}

// capacity is how many bytes a pipe holds, and 0 for what is none.
func capacity(d *splice.Descriptor) int {
	if d.Kind != splice.Pipe {
		return 0
	}
	size, _ := splice.RaisePipe(d.FD, 0)
	return size
}

// readSize reads a size, or takes that of the file, or of all files below the
// directory, that is named behind an @.
func readSize(s string) (int64, error) {
	name, isFile := strings.CutPrefix(s, "@")
	if !isFile {
		return tool.Bytes("size", s)
	}
	sum := int64(0)
	err := filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if path == name && err == nil {
			var info fs.FileInfo
			if info, err = os.Stat(name); err == nil && !info.IsDir() {
				sum = info.Size()
			}
			return err
		}
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				sum += info.Size()
			}
		}
		if path != name {
			return nil // what cannot be looked at is left out
		}
		return err
	})
	if err != nil {
		return 0, &sizeError{name, err}
	}
	return sum, nil
}

// A sizeError is why a file has no size.
type sizeError struct {
	name string
	err  error
}

func (e *sizeError) Error() string { return tool.Quote(e.name) + ": " + tool.ErrorText(e.err) }

// total is how many bytes there will be, as far as that is known; else 0.
func (f *flow) total(src *splice.Descriptor) int64 {
	switch {
	case f.size > 0:
		return f.size
	case src.Kind == splice.Block:
		return max(0, deviceSize(uint64(src.Stat.Rdev))-src.Offset)
	}
	return src.Remaining()
}

// reached reports whether so many bytes are all that may pass.
func (f *flow) reached(n int64) bool { return f.stop && f.size > 0 && n == f.size }

// apply puts the limits into the options of a copy.
func (f *flow) apply(o *splice.Options) {
	if f.stop {
		o.Limit = f.size
	}
	if f.rate > 0 {
		o.Limiter = splice.NewLimiter(f.rate)
	}
}
