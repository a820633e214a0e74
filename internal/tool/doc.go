// Package tool is what zcat, ztee, zcp and zpipe have in common: everything
// between the command line and the work.
//
// A tool is a [Command]: its options, its help, and a function that does the
// work. [Main] runs it as a GNU program behaves. The command line is read by
// package gnuflag and handed to urfave/cli, which holds the values; help,
// version and messages are written here, so cli never prints anything.
//
//	func main() { tool.Main(command()) }
//
// The function gets an [Invocation] and talks to the world through it:
//
//   - Messages are "NAME: text", one write(2) each, and those about errors make
//     the exit status 1. A returned [UsageErrorf] adds the line that points to
//     --help. Texts of errors are the C library's ([ErrorText]), and file names
//     are quoted as GNU programs quote them ([Quote], [QuoteAlways],
//     [QuoteLocale]).
//   - Standard descriptors that were closed when the program started are errors
//     (EBADF), not the /dev/null that the Go runtime puts in their place.
//   - Standard output is closed at the end, and what that or --help's own
//     writing reports is a "write error" and status 1.
//   - --method, --stats, --help and --version are the same in all tools.
//
// Signals act as in a C program (package signals): a tool dies of SIGPIPE without
// a word, unless its parent had it ignored.
package tool
