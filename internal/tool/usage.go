package tool

import (
	"errors"
	"fmt"

	"zeroutils/internal/gnuflag"
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

// report prints the error that ended the command.
func (inv *Invocation) report(err error) {
	if !isUsage(err) {
		inv.Errorf("%v", err)
		return
	}
	hint := "Try '%s --help' for more information."
	if inv.misuse != nil {
		hint = inv.misuse.Hint
		inv.SetStatus(inv.misuse.Status)
	}
	inv.say(fmt.Sprintf("%s\n"+hint, err, inv.Name))
	inv.failed()
}

func isUsage(err error) bool {
	var own *UsageError
	var line *gnuflag.UsageError
	return errors.As(err, &own) || errors.As(err, &line)
}
