// Package tool holds what zcat, ztee, zcp and zpipe share: everything between
// the command line and the work.
//
// A tool is a [Command]: its options, its help, and a function that does the
// work. [Main] runs it as a GNU program behaves. Package gnuflag reads the
// command line, urfave/cli holds the values. Help, version and messages are
// written here; cli prints nothing.
//
//	func main() { tool.Main(command()) }
//
// The function gets an [Invocation], which has the options and prints:
//
//   - A message is "NAME: text" in one write(2). An error message makes the exit
//     status 1. A returned [UsageErrorf] adds the line that points to --help.
//     Error texts are the C library's ([ErrorText]), and file names are quoted
//     as GNU programs quote them ([Quote], [QuoteAlways], [QuoteLocale]).
//   - Using a standard descriptor that was closed when the program started is an
//     error (EBADF).
//   - Standard output is closed at the end. If that or an earlier write of text
//     fails, the message is "write error" and the status 1.
//   - All tools have --method, --stats, --help and --version.
//
// Signals act as in a C program (package signals): a tool dies of SIGPIPE without
// a word, unless its parent had it ignored.
package tool
