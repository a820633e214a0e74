// Package procstart tells how the process was started: which of the descriptors
// 0 to 2 its parent had closed, and which signals it had set to be ignored or
// blocked. A Unix tool has to act on all three. The Go runtime changes them
// before any Go code runs:
//
//   - It opens /dev/null on a closed descriptor, so that "cat <&-" reads an
//     empty file instead of failing, and it dies with a stack trace where
//     there is no /dev/null.
//   - It installs handlers for nearly all signals, also for ignored ones, so
//     that trap "" PIPE is forgotten.
//   - It unblocks the signals that end a program, in every thread.
//
// # The entry point
//
// The package therefore contains assembly: zeroutils_start, which the kernel
// enters instead of the runtime's own entry point. It makes the system calls
// that read these facts, opens the root directory with O_PATH on each closed
// descriptor, and jumps to the runtime. Reading and writing such a descriptor
// gives EBADF as if it were closed, no other file can get its number, and the
// runtime, which finds it open, needs no /dev/null. The linker puts the entry
// point in:
//
//	go build -ldflags "-E zeroutils_start"
//
// It exists for amd64 and arm64, needs CGO_ENABLED=0 (a C linker has an entry
// point of its own) and costs 70 short system calls, about 5 microseconds.
//
// # What was considered instead
//
//   - An init function, or /proc/self/status: both come after the runtime.
//   - The runtime's variable fwdSig, which holds the old dispositions: the
//     linker refuses the reference without -checklinkname=0, and it tells
//     nothing of descriptors and masks.
//   - A C constructor by cgo: it needs a C compiler and a dynamic linker, which
//     makes each start of a tool about half a millisecond longer.
//   - A launcher that looks and then executes the tool: a second execve(2), and
//     two files to install.
//   - Taking a /dev/null that is open for reading and writing for a closed
//     descriptor: parents open it so on purpose (Python's subprocess.DEVNULL,
//     daemon(3)), and the tool would fail where cat does not.
//
// # Without the entry point
//
// A program that is linked without it ("go install", cgo, other architectures)
// works, except that a closed descriptor counts as open and refers to
// /dev/null, that only those signals are known to be ignored or blocked that
// the runtime leaves alone, and that without a usable /dev/null a closed
// descriptor ends the process. [Recorded] tells the two cases apart.
package procstart
