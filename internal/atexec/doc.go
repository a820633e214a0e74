// Package atexec tells how the process looked when it was executed, before the
// Go runtime changed it, and undoes what a Unix tool must not keep.
//
// The runtime does two things before main that no C program does:
//
//   - It installs its own handlers for nearly all signals, also for those that
//     the parent had set to be ignored. So a write to a pipe without a reader
//     does not kill the process as it should, trap "" PIPE is forgotten, ^\
//     prints the stacks of all goroutines, and SIGUSR1 does nothing.
//   - It opens /dev/null on those of the descriptors 0 to 2 that are closed. So
//     "cat <&-", which is an error, reads an empty file.
//
// Both facts can only be seen earlier than the first instruction of the
// runtime. Therefore the package contains an entry point, zeroutils_start,
// that notes them and then jumps to the runtime's own. A program gets it from
// the linker:
//
//	go build -ldflags "-E zeroutils_start"
//
// It exists for amd64 and arm64. A program built for another architecture, or
// without that flag, or by a C linker (the race detector needs one), works with
// what can be guessed later: no signal was ignored but SIGHUP and SIGINT, which
// the runtime leaves alone, and a descriptor was closed if it looks like the
// runtime's /dev/null. [Recorded] tells the two cases apart.
//
// The package starts nothing and changes nothing by being imported. A tool calls
// [RestoreSignals] first thing in main, and asks [Closed] before it uses a
// standard descriptor.
package atexec
