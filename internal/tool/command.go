package tool

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/gnuflag"
	"zeroutils/internal/procstart"
	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
)

// A Command is a tool. It can be executed once, since cli keeps values in the
// flags.
type Command struct {
	// Name is the name that the tool is installed under. Messages show the name
	// that it was called by.
	Name string
	// Synopsis lists the ways to call the tool, without its name:
	// "[OPTION]... [FILE]...".
	Synopsis []string
	// Summary is printed below the synopsis in --help, Notes below the options.
	// Both are whole lines.
	Summary, Notes string
	// Flags are the options, in the order of --help. `Backquotes` in a usage
	// text mark the name of the value. --method, --stats, --help and --version
	// are added, unless Flags has one of that name. Line.Options has all values
	// of an option that may be given several times.
	Flags []cli.Flag
	// Groups arrange the options in --help.
	Groups []Group
	// Manual is the manual page that --help names, if it is not Name.
	Manual string
	// Choices are the words that an option accepts, by the first name of its
	// flag; see Choice. The option's value becomes the word in full.
	Choices map[string][]string
	// Ends reports whether the last of the operands read so far ends the
	// options: what follows it is operands, whatever it looks like. Without it,
	// options and operands may be mixed, unless POSIXLY_CORRECT is set.
	Ends func(operands []string, posixlyCorrect bool) bool
	// Misuse is for a tool that stands in for a program that is not GNU's: that
	// has its own options only.
	Misuse *Misuse
	// Signals have no effect until Run calls signals.Notify for them: SIGUSR1
	// or none.
	Signals []syscall.Signal
	// Run does the work. The error that it returns is printed, a usage error
	// with a line that points to --help.
	Run func(*Invocation) error
}

// A Misuse is how a program reports a mistake in its command line, where that is
// not GNU's way.
type Misuse struct {
	Status int    // the exit status
	Hint   string // follows the message, with the name in the place of %s
}

// Main executes the command with the arguments of the process, and exits.
func Main(cmd Command) {
	signals.Restore(cmd.Signals...)
	os.Exit(Execute(cmd, os.Args))
}

// Execute runs the command with the given arguments, the name first, on the
// descriptors of the process, closes standard output, and returns the exit
// status. It leaves signals alone.
func Execute(cmd Command, args []string) int {
	return run(cmd, args, stdio{in: 0, out: 1, err: 2, closed: procstart.Closed})
}

// run is Execute on the descriptors of std.
func run(cmd Command, args []string, std stdio) int {
	inv := newInvocation(cmd, args, std)
	if err := inv.execute(cmd, args[min(1, len(args)):]); err != nil {
		inv.report(err)
	}
	inv.closeAnswers()
	inv.closeStdout()
	return inv.Status()
}

// An Invocation is one execution of a command. Its methods may be called from
// several goroutines.
type Invocation struct {
	Name     string        // the program's name in messages: the base of argv[0]
	Flags    *cli.Context  // the values of the options, by their first long names
	Line     gnuflag.Line  // the options in the order given
	Operands []string      // what is left of the command line
	Method   splice.Method // what --method or ZEROUTILS_METHOD asks for

	// Suspend, if set, is called with a function that prints a message. A tool
	// that draws on the terminal takes its display away while that runs. Suspend
	// is set before another goroutine may print.
	Suspend func(print func())

	misuse *Misuse
	stats  string // the format that --stats asks for, or ""
	status atomic.Int32
	std    stdio
	text   text

	unanswered bool       // Confirm could not read an answer
	saying     sync.Mutex // held for one message
}

func newInvocation(cmd Command, args []string, std stdio) *Invocation {
	inv := &Invocation{Name: cmd.Name, std: std, misuse: cmd.Misuse}
	if len(args) > 0 && args[0] != "" {
		inv.Name = filepath.Base(args[0])
	}
	inv.text.std = std
	return inv
}

// Status returns the exit status so far: 0 until an error is reported.
func (inv *Invocation) Status() int { return int(inv.status.Load()) }

// SetStatus sets the exit status, for tools that use more than 0 and 1.
func (inv *Invocation) SetStatus(status int) { inv.status.Store(int32(status)) }

// failed makes the status 1, unless the tool has set its own.
func (inv *Invocation) failed() { inv.status.CompareAndSwap(0, 1) }
