package tool

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/rawio"
	"zeroutils/internal/splice"
	"zeroutils/internal/units"
)

// Errorf prints "NAME: message" on standard error and makes the exit status 1.
// Errors among the arguments are shown as ErrorText shows them.
func (inv *Invocation) Errorf(format string, args ...any) {
	inv.failed()
	inv.Warnf(format, args...)
}

// Fail prints "NAME: file: error" on standard error, the file name quoted if
// necessary, and makes the exit status 1.
func (inv *Invocation) Fail(file string, err error) {
	inv.Errorf("%s: %v", Quote(file), err)
}

// Warnf is Errorf, but leaves the exit status alone.
func (inv *Invocation) Warnf(format string, args ...any) {
	showErrors(args)
	inv.say(fmt.Sprintf(format, args...))
}

// Tell writes a text on standard error as it is.
func (inv *Invocation) Tell(text string) { inv.put([]byte(text)) }

// say writes a message.
func (inv *Invocation) say(message string) {
	inv.put([]byte(inv.Name + ": " + message + "\n"))
}

// put writes on standard error, as GNU programs do: after the text that was
// printed on standard output so far, and in a single write, so that messages of
// several processes do not mix. If it fails, the exit status is 1.
func (inv *Invocation) put(p []byte) {
	_ = inv.text.flush() // an error is kept until the end
	inv.saying.Lock()
	defer inv.saying.Unlock()
	print := func() {
		if inv.std.closed(2) || rawio.WriteAll(inv.std.err, p) != nil {
			inv.failed()
		}
	}
	if inv.Suspend != nil {
		inv.Suspend(print)
		return
	}
	print()
}

// showErrors replaces errors by their texts. It changes args itself, so that vet
// can check formats against arguments.
func showErrors(args []any) {
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = ErrorText(err)
		}
	}
}

// A UsageError is a mistake on the command line.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

// UsageErrorf returns a usage error. Its text does not include the tool's name.
func UsageErrorf(format string, args ...any) error {
	showErrors(args)
	return &UsageError{fmt.Sprintf(format, args...)}
}

// MissingFileOperand returns the usage error for a missing operand.
func MissingFileOperand() error { return UsageErrorf("missing file operand") }

// MissingDestination returns the usage error for a single operand, the source.
func MissingDestination(source string) error {
	return UsageErrorf("missing destination file operand after %s", QuoteAlways(source))
}

// ExtraOperand returns the usage error for an operand too many.
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

// ErrorText returns the text of an error for users. For an error that contains an
// errno, that is strerror(3) of the GNU C library. What wraps the errno is
// dropped: a tool's messages name the file and the operation themselves.
func ErrorText(err error) string {
	if unserved := (*splice.UnservedError)(nil); errors.As(err, &unserved) {
		return unservedText(*unserved)
	}
	if hole := (*splice.HoleError)(nil); errors.As(err, &hole) {
		return ErrorText(hole.Err) + hole.Where()
	}
	if errno := unix.Errno(0); errors.As(err, &errno) {
		return strerror(errno)
	}
	return withoutSide(err).Error()
}

// unservedText keeps the name of the method besides the errno's text.
func unservedText(e splice.UnservedError) string {
	errno := e.Errno
	e.Errno = nil
	if errno == nil {
		return e.Error()
	}
	return e.Error() + ": " + ErrorText(errno)
}

// withoutSide unwraps the engine's ReadError or WriteError.
func withoutSide(err error) error {
	if read := (*splice.ReadError)(nil); errors.As(err, &read) {
		return read.Err
	}
	if write := (*splice.WriteError)(nil); errors.As(err, &write) {
		return write.Err
	}
	return err
}

// strerror derives the C library's text from Go's, which begins with a small
// letter and lacks some errnos.
func strerror(errno unix.Errno) string {
	const ehwpoison = 133
	text := errno.Error()
	switch {
	case errno == 0:
		return "Success"
	case errno == ehwpoison:
		return "Memory page has hardware error"
	case strings.HasPrefix(text, "errno "):
		return fmt.Sprintf("Unknown error %d", int(errno))
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
