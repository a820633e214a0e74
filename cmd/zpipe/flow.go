package main

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A flow is how much may pass, and when.
type flow struct {
	size  int64 // of the whole, in bytes
	sized bool  // the size is known
	stop  bool  // at the size
	rate  float64
	all   *splice.Limiter // of all connections together; nil if each has the rate
	stall time.Duration   // 0 is not looked for

	buffer splice.Buffer // of size 0 if there is none
}

func newFlow(inv *tool.Invocation) (f flow, err error) {
	if inv.Flags.IsSet("size") {
		if f.size, err = readSize(inv.Flags.String("size")); err != nil {
			return f, err
		}
		f.sized = true
	}
	if s := inv.Flags.String("rate-limit"); inv.Flags.IsSet("rate-limit") {
		if err = f.readRate(s, inv.Flags.Bool("serve") || inv.Flags.Bool("both")); err != nil {
			return f, err
		}
	}
	if s := inv.Flags.String("stall"); inv.Flags.IsSet("stall") {
		if f.stall, err = tool.Seconds("number of seconds", s); err != nil {
			return f, err
		}
	}
	f.stop = inv.Flags.Bool("stop-at-size")
	if f.stop && !f.sized && (inv.Flags.Bool("serve") || inv.Flags.Bool("both")) {
		return f, tool.UsageErrorf("-S needs -s with --serve and with --both")
	}
	return f, f.readBuffer(inv)
}

// readRate reads RATE, RATE,each or RATE,all.
func (f *flow) readRate(text string, several bool) (err error) {
	text, all := strings.CutSuffix(text, ",all")
	if !all {
		text = strings.TrimSuffix(text, ",each")
	}
	if f.rate, err = tool.Rate("rate", text); err != nil {
		return err
	}
	if all && f.rate > 0 && several {
		f.all = splice.NewLimiter(f.rate)
	}
	return nil
}

func (f *flow) readBuffer(inv *tool.Invocation) error {
	if inv.Flags.IsSet("buffer") {
		size, err := tool.Bytes("buffer size", inv.Flags.String("buffer"))
		if err != nil {
			return err
		}
		f.buffer.Size = int(min(size, math.MaxInt))
	}
	if inv.Flags.Bool("serve") && f.buffer.Size > 0 {
		total := defaultBudget()
		if inv.Flags.IsSet("buffer-total") {
			var err error
			if total, err = tool.Bytes("buffer size", inv.Flags.String("buffer-total")); err != nil {
				return err
			}
		}
		f.buffer.Budget = splice.NewBudget(total)
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
		return tool.UsageErrorf("--fill needs a --buffer of more than nothing")
	}
	f.buffer.Fill = int(percent)
	return nil
}

// copy copies, by way of the buffer if the pipes on both sides hold less.
// A size of 0 to stop at lets nothing pass.
func (f *flow) copy(c *splice.Copier, dst, src *splice.Descriptor, o splice.Options) (splice.Report, error) {
	if f.stop && f.sized && f.size == 0 {
		return splice.Report{}, nil
	}
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

// errSizeUnknown is the error of -S where there is no size to stop at.
var errSizeUnknown = errors.New("-S needs -s: neither the source nor the sink has a size")

// measure takes the size of the source where -s gives none, or else that of a
// sink that is a block device. For -S the error is errSizeUnknown.
func (f *flow) measure(dst, src *splice.Descriptor) error {
	if !f.sized {
		f.size = max(src.Remaining(), leftOnDevice(src))
		if f.size == 0 && src.Kind != splice.Block {
			f.size = leftOnDevice(dst)
		}
		f.sized = f.size > 0 || src.Kind == splice.Block || dst.Kind == splice.Block
	}
	if f.stop && !f.sized && src.Kind != splice.Regular { // an empty file ends by itself
		return errSizeUnknown
	}
	return nil
}

// leftOnDevice is how many bytes a block device has behind the offset; 0 for
// anything else.
func leftOnDevice(d *splice.Descriptor) int64 {
	if d.Kind != splice.Block {
		return 0
	}
	return max(0, deviceSize(uint64(d.Stat.Rdev))-d.Offset)
}

// reached reports whether so many bytes are all that may pass.
func (f *flow) reached(n int64) bool { return f.stop && f.sized && n == f.size }

// apply puts the limits into the options of a copy.
func (f *flow) apply(o *splice.Options) {
	if f.stop && f.sized {
		o.Limit = f.size
	}
	switch {
	case f.all != nil:
		o.Limiter = f.all.Share()
	case f.rate > 0:
		o.Limiter = splice.NewLimiter(f.rate)
	}
}
