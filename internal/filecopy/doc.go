// Package filecopy copies files and trees of files, with their attributes. It
// does what GNU cp does and in the same order, and leaves the contents of
// regular files to package splice.
//
// A [Copier] takes one source after the other, as a user named them, and puts
// each at a name of its own ([Copier.To]) or into a directory ([Copier.Into]).
// What happens is told to a [Listener]: a source that cannot be copied is a
// [Problem], and the next one is taken. The package knows no option of a tool
// and prints nothing.
//
// # What it promises
//
//   - Names. Beyond what the user named, files are reached by one name in an
//     open directory, and a symbolic link is never taken for a directory unless
//     Links or KeepDirectoryLinks says so. Names are bytes. Trees may be deeper than PATH_MAX, and cost no more
//     descriptors the deeper they are.
//   - Refusals come first. A destination is opened only after its source has
//     been, and emptied only after it was seen, by its descriptor, not to be
//     the source. A file that takes the place of another one is made beside it
//     and renamed, so that the old one stays if the new one cannot be made.
//   - Permissions are at no time wider than those the copy ends with, or those
//     the existing file had. Set-id bits come after the owner, times come last.
//   - With Atomic the name of a regular file leads to the old contents or to all
//     of the new ones, whoever looks and whatever becomes of the process; with
//     Move one of two names leads to all of a file.
//   - A file that ends early, or fails, keeps no blocks beyond its end.
//   - Several workers may copy the files of a tree. What is told, in which order,
//     and what comes of it are as if one did it all.
//   - Memory is bounded by the names in the directories along one path, by the
//     number of sources that were named, and with Names by that of files with
//     more than one name, or of all files if symbolic links are followed.
//
// # System calls
//
// A small file in a tree costs 7 (strace -f -c of 1,000 files of 1 KiB in one
// directory of ext4, against cp 9.1):
//
//	zcp -r    openat fstat openat read write close close
//	cp -r     fstatat openat fstat openat ioctl fstat fadvise64
//	          copy_file_range copy_file_range close close
//
// The kind of a file comes from getdents64, its size is taken for true on
// filesystems that keep it, and what is in a directory made by this copy is
// not looked for. With -p it is 11 against 15:
//
//	zcp -rp   the above, and fstat fgetxattr fsetxattr utimensat
//	cp -rp    the above, and utimensat fgetxattr fstat fsetxattr
//
// With -a it is 11 against 17: flistxattr says also whether there is an access
// control list, and takes the place of fgetxattr.
//
// # Where to read
//
// copier.go is the way of one source: look at it, decide (decision.go), carry it
// out. walk.go is a tree, seen.go remembers what was copied, and parents.go makes
// directories on the way. crew.go has workers help the walk, journal.go keeps
// what they tell (events.go, problem.go) in order, and filling.go finishes a
// directory after all that is in it.
//
// worker.go is what copies a file once it is decided: regular.go, data.go and
// holes.go are regular files, special.go all other ones, links.go links.
// replace.go is how a file takes the place of another; same.go tells whether two
// names are one file, update.go and backup.go what becomes of files that are
// there. attributes.go, acl.go and xattr.go are what a copy keeps.
//
// What a copy survives is in staged.go and commit.go (Atomic), sync.go, batch.go,
// verify.go, resume.go, mover.go and vouch.go; made.go knows what was moved. room.go
// refuses what cannot fit, and stop.go ends a copy before its time. gauge.go shows
// how far it is, survey.go how far it is to go, how.go how it was done.
//
// # How to add an option
//
// It becomes a field of [Options], with its zero value for what cp does. If it
// decides what becomes of a file that is there, decision.go asks it, and a line of
// TestDecisions shows the difference; if it is an attribute, keep does. Workers
// only read options. What can go wrong gets a What with its message in
// problem.go, what is worth telling a type in events.go. In cmd/zcp it is declared
// in main.go and read in options.go; scripts/completions, the man page and a
// script in testdata follow.
package filecopy
