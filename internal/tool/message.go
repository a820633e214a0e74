package tool

import (
	"fmt"

	"zeroutils/internal/splice"
)

// Errorf prints "NAME: message" on standard error and makes the exit status 1.
// Errors among the arguments are shown as ErrorText shows them.
func (inv *Invocation) Errorf(format string, args ...any) {
	inv.failed()
	inv.Warnf(format, args...)
}

// Fail prints "NAME: file: error" on standard error, the file's name quoted if
// it has to be, and makes the exit status 1.
func (inv *Invocation) Fail(file string, err error) {
	inv.Errorf("%s: %v", Quote(file), err)
}

// Warnf is Errorf for what does not count as a failure.
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

// put writes on standard error with a single write, so that what several
// processes say does not mix, and after what the tool has printed so far. If it
// fails there is nobody to tell, but the exit status is 1. All as GNU does.
func (inv *Invocation) put(p []byte) {
	_ = inv.text.flush() // an error is kept until the end
	inv.saying.Lock()
	defer inv.saying.Unlock()
	print := func() {
		if inv.std.closed(2) || splice.WriteAll(inv.std.err, p) != nil {
			inv.failed()
		}
	}
	if inv.Interject != nil {
		inv.Interject(print)
		return
	}
	print()
}

// showErrors puts texts in the place of errors. It changes the list itself, so
// that vet can follow it from format to Sprintf.
func showErrors(args []any) {
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = ErrorText(err)
		}
	}
}
