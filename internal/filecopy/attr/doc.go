// Package attr reads and sets what a file has besides its contents: permissions
// with access control lists, owner, times and extended attributes.
//
// A [Handle] reaches them through a descriptor or by a name, never through a
// symbolic link. A [Pair] is a copy and the source whose attributes it is to get.
// Which of them are kept, and what it means if they cannot be, is decided by
// package filecopy.
package attr
