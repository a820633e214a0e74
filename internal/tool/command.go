package tool

import (
	"os"
	"syscall"

	"github.com/urfave/cli/v2"

	"zeroutils/internal/procstart"
	"zeroutils/internal/signals"
)

// A Command is a tool. As cli keeps values in the flags, it is good for one
// execution.
type Command struct {
	// Name is what the tool is installed as. Messages show the name it was
	// called by instead.
	Name string
	// Synopsis holds the ways to call it, without the name:
	// "[OPTION]... [FILE]...".
	Synopsis []string
	// Summary says what it does, below the synopsis in --help, and Notes what
	// there is to know beyond the options, below these. Both are lines that
	// are printed as they are.
	Summary, Notes string
	// Flags are its options, in the order of --help. `Backquotes` in a usage
	// text mark the name of the value. --method, --stats, --help and --version
	// are added, where Flags has none of that name. What may be given several
	// times is not a slice flag but read from Line.Options, which has every
	// value as it came.
	Flags []cli.Flag
	// Choices are the words that an option takes, by the first name of its
	// flag; see Choice. The option's value will be the word in full.
	Choices map[string][]string
	// Ends reports whether the last of the operands read so far ends the
	// options: what follows it is operands, whatever it looks like. Without it,
	// options and operands may be mixed, unless POSIXLY_CORRECT is set.
	Ends func(operands []string, posixlyCorrect bool) bool
	// Signals are those that do nothing until Run is told of them, by
	// signals.Notify: SIGUSR1 or none.
	Signals []syscall.Signal
	// Run does the work. What it returns is printed as a message: an error of
	// UsageErrorf with a pointer to --help, another as Errorf("%v") does.
	Run func(*Invocation) error
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

// run is Execute on any descriptors.
func run(cmd Command, args []string, std stdio) int {
	inv := newInvocation(cmd, args, std)
	if err := inv.execute(cmd, args[min(1, len(args)):]); err != nil {
		inv.report(err)
	}
	inv.closeAnswers()
	inv.closeStdout()
	return inv.Status()
}
