// Package place reaches files by a name in an open directory.
//
// A [Place] is a directory and one name in it, or a path that the user gave. The
// depth of a tree is then not bounded by PATH_MAX, and nobody can lead a copy
// astray by putting a symbolic link where a directory was. A [Directory] may be
// parked, which gives its descriptor back, and is found again by its names.
//
// The system calls in kernel.go take places, open descriptors close-on-exec and
// are repeated when a signal interrupts them. names.go lists directories,
// temporary.go makes and finds the files that take another one's place when they
// are complete, and identity.go tells a file from a later one with its number.
//
// The package decides nothing: what is copied where, and what is told of it, is
// package filecopy's.
package place
