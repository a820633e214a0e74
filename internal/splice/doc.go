// Package splice moves bytes between Linux descriptors without copying them through
// user space, and falls back, one mechanism at a time, to read(2) and write(2) where
// the kernel does not support that.
//
// [Copier.Copy] copies one descriptor to another, [Copier.Tee] to several.
// [Copier.CopyBuffered] puts pipes and memory between the two, for a source that
// comes in bursts. [Copier.Filter] changes the bytes on the way. A copy starts at the
// offsets of its descriptors and leaves them where the data ended, as read and write
// do. A [Limiter] limits its rate; an [Activity] tells what it waits for.
//
// # Guarantees
//
//   - Bytes. The sink gets the bytes of the source, in order, once. When a mechanism
//     gives up midway, the bytes that it has taken from the source are delivered
//     before the next one starts. The [Report] counts the bytes delivered, also
//     beside an error.
//   - Fallback. A mechanism is tried only where it can work ([Plan] is a pure function
//     of two descriptors), and left for the next one only on the errnos in errno.go.
//     read and write come last and always work.
//   - Whose error. A [ReadError] concerns the source, a [WriteError] the sink. Any
//     other error is an [UnservedError], or one that a callback returned.
//   - End of file. copy_file_range, sendfile, splice and mmap may report the end of a
//     file too early; read(2) has to confirm it. A terminal is not asked twice.
//   - Waiting. EINTR is retried. After EAGAIN the copy polls the descriptor that is not
//     ready. It never changes O_NONBLOCK.
//   - Chunks. One system call moves what takes well under a second, so that progress is
//     shown and signals are handled in time.
//   - Memory. Constant, whatever the size of the data.
//   - Descriptors. Those of the caller are never closed. Only their offset changes, and
//     they have a lease as long as a stable copy needs it. Descriptors made here are
//     close-on-exec and never 0 to 2.
//
// # What it does not do
//
// The package knows no path, no option of a tool and no text for users. It does not
// look for holes, sync, or preserve attributes.
//
// # Where to read
//
// descriptor.go describes an open descriptor. plan.go chooses the methods for two of
// them, copy.go runs the plan, and errno.go lists the errnos that lead from one method
// to the next. The mechanisms are in reflink.go, offload.go (copy_file_range and
// sendfile), viapipe.go (splice, with pipe.go and pool.go), mmap.go, direct.go,
// uncached.go and readwrite.go. lease.go protects spliced pages from writers, shared.go
// a file offset that other processes use.
//
// [Copier.Tee] is in tee.go (the rounds), sink.go (one output) and event.go (what it
// does while it waits), [Copier.CopyBuffered] in buffer.go and store.go, and
// [Copier.Filter] in filter.go.
//
// kernel.go is the table of system calls, which tests replace.
package splice
