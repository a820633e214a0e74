package tool

import (
	"errors"
	"fmt"
	"time"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/units"
)

// A UsageError is a mistake in how the tool was called.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

// UsageErrorf makes a usage error. The tool's name is not part of it.
func UsageErrorf(format string, args ...any) error {
	showErrors(args)
	return &UsageError{fmt.Sprintf(format, args...)}
}

// MissingFileOperand is the usage error of a tool that got no operand.
func MissingFileOperand() error { return UsageErrorf("missing file operand") }

// MissingDestination is the usage error of a tool that got a single operand,
// the source, and no destination.
func MissingDestination(source string) error {
	return UsageErrorf("missing destination file operand after %s", QuoteAlways(source))
}

// ExtraOperand is the usage error of a tool that got an operand too many.
func ExtraOperand(operand string) error {
	return UsageErrorf("extra operand %s", QuoteAlways(operand))
}

// Bytes reads a number of bytes as units.ParseBytes does. The error is a usage
// error; thing says what the number is: "size".
func Bytes(thing, s string) (int64, error) {
	n, ok := units.ParseBytes(s)
	return n, unlessValid(ok, thing, s)
}

// Rate is Bytes for a rate in bytes per second.
func Rate(thing, s string) (float64, error) {
	v, ok := units.ParseRate(s)
	return v, unlessValid(ok, thing, s)
}

// Seconds is Bytes for a time in seconds.
func Seconds(thing, s string) (time.Duration, error) {
	d, ok := units.ParseSeconds(s)
	return d, unlessValid(ok, thing, s)
}

func unlessValid(ok bool, thing, s string) error {
	if ok {
		return nil
	}
	return UsageErrorf("invalid %s: %s", thing, QuoteLocale(s))
}

// report prints the error that ended the command.
func (inv *Invocation) report(err error) {
	if !isUsage(err) {
		inv.Errorf("%v", err)
		return
	}
	inv.say(fmt.Sprintf("%s\nTry '%s --help' for more information.", err, inv.Name))
	inv.failed()
}

func isUsage(err error) bool {
	var own *UsageError
	var line *gnuflag.UsageError
	return errors.As(err, &own) || errors.As(err, &line)
}
