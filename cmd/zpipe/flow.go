package main

import (
	"io/fs"
	"os"
	"path/filepath"
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
		&cli.StringFlag{Name: "stall", Usage: "say so when nothing has passed for `SECONDS`, and what is waited for"},
	}
}

// A flow is how much may pass, and when.
type flow struct {
	size  int64 // of the whole, as -s has it; 0 is unknown
	stop  bool  // at the size
	rate  float64
	stall time.Duration // 0 is not looked for
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
	return f, nil
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
	if f.size > 0 {
		return f.size
	}
	return src.Remaining()
}

// apply puts the limits into the options of a copy.
func (f *flow) apply(o *splice.Options) {
	if f.stop {
		o.Limit = f.size
	}
	if f.rate > 0 {
		o.Limiter = splice.NewLimiter(f.rate)
	}
}
