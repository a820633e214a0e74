// Package splice moves bytes between Linux descriptors without carrying them
// through user space, and falls back, one mechanism at a time, to read(2) and
// write(2) where the kernel will not cooperate.
//
// A [Copier] copies one descriptor to another ([Copier.Copy]) or to many
// ([Copier.Tee]). Both start at the descriptors' own offsets and leave these
// where the data ended, as read and write would. [Copier.CopyBuffered] has pipes
// and memory between the two, for a source that comes in bursts; a [Limiter]
// holds a copy to a rate; an [Activity] says what it waits for.
//
// # What it promises
//
//   - Bytes. What arrives is what was there: in order, once, nothing added.
//     When a mechanism gives up midway, the bytes it has taken from the source
//     are delivered before the next one starts. The [Report] says how many
//     bytes were delivered, also beside an error.
//   - Fallback. A mechanism is tried only where it can work ([Plan] is a pure
//     function of two descriptors), and left for the next only on the errnos
//     of errno.go. read and write come last and always work.
//   - Whose error. A [ReadError] concerns the source, a [WriteError] the sink;
//     every error of a copy is one of these, an [UnservedError] or what a
//     callback of the [Options] returned.
//   - End of file. What copy_file_range, sendfile, splice or mmap call the end
//     of a file or device is the end only once read(2) agrees. A terminal's
//     end is not asked for twice.
//   - Waiting. EINTR is retried; EAGAIN waits with poll(2) on the descriptor
//     that is not ready. O_NONBLOCK of a descriptor is never changed.
//   - Chunks. One system call moves what takes well under a second, so that
//     progress and interruption are served in time.
//   - Memory. Constant, whatever the size of the data.
//   - Descriptors. Those given are never closed, and never retuned beyond
//     their offset, or a lease for as long as that is held. Descriptors made
//     here are close-on-exec and high, never 0 to 2.
//
// # What it does not do
//
// It knows no path, no option of a tool and no text for users; it does not
// look for holes, does not sync and does not preserve attributes.
//
// # Where to read
//
// descriptor.go says what an open descriptor is; plan.go chooses the methods for
// two of them; copy.go runs the plan, and errno.go says what leads from one method
// to the next. There is one file a mechanism: reflink.go, copyfilerange.go,
// sendfile.go, viapipe.go (with pipe.go and pool.go, the private pipes), mmap.go,
// direct.go, uncached.go and readwrite.go. lease.go keeps zero-copy safe from
// writers.
//
// [Copier.Tee] is in tee.go (the rounds), sink.go (one output) and attend.go
// (what happens while it waits), [Copier.CopyBuffered] in buffer.go
// with store.go, and [Copier.Filter] in filter.go.
//
// kernel.go is the table of system calls, which the tests replace.
package splice
