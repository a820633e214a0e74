package tool

import (
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/splice"
)

// An Invocation is one execution of a command. Its methods may be called from
// several goroutines.
type Invocation struct {
	Name     string        // the program's name in messages: the base of argv[0]
	Flags    *cli.Context  // the values of the options, by their first long names
	Line     gnuflag.Line  // the options in the order given
	Operands []string      // what is left of the command line
	Method   splice.Method // what --method or ZEROUTILS_METHOD asks for

	// Interject, if set, is called with what prints a message, for a tool that
	// draws on the terminal to make room. It is set before any other goroutine
	// may print.
	Interject func(print func())

	stats  string // the format that --stats asks for, or ""
	status atomic.Int32
	std    stdio
	text   text

	unanswered bool       // Confirm could not read an answer
	saying     sync.Mutex // held for one message
}

func newInvocation(cmd Command, args []string, std stdio) *Invocation {
	inv := &Invocation{Name: cmd.Name, std: std}
	if len(args) > 0 && args[0] != "" {
		inv.Name = filepath.Base(args[0])
	}
	inv.text.std = std
	return inv
}

// Status is the exit status so far: 0 until something is reported.
func (inv *Invocation) Status() int { return int(inv.status.Load()) }

// SetStatus is for tools whose status says more than that something failed.
func (inv *Invocation) SetStatus(status int) { inv.status.Store(int32(status)) }

// failed makes the status 1, unless the tool has set its own.
func (inv *Invocation) failed() { inv.status.CompareAndSwap(0, 1) }
