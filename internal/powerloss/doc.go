// Package powerloss holds tests that cut the power under a move. It has no code
// of its own.
//
// Source and destination are filesystems in images that lie on a third one,
// which can share blocks. A command is stopped after each call that makes or
// removes a name or that syncs; the images are cloned at that moment; and later
// the clones are mounted, as the disks would be after a loss of power. Every file
// must be whole in one of the two, none may have gained permissions, and the same
// command must be able to finish the work.
//
// An image holds what the kernel has written, in the order in which it has. It
// may write more at any moment: so before some of the clones the source is
// synced, or the journal of the destination is committed, which writes names but
// not the data of new files. Writes that a disk loses or reorders are not shown.
//
// scripts/powerloss.sh repeats the tests with more stops and more filesystems.
package powerloss
