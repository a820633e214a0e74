package splice

import "fmt"

// A Method is a way to move bytes between two descriptors.
type Method uint8

const (
	Auto          Method = iota // whatever suits the two descriptors
	Reflink                     // share the extents: ioctl FICLONE, whole files (ioctl_ficlonerange(2), Linux 4.5)
	CopyFileRange               // copy_file_range(2), trusted since Linux 5.3
	Sendfile                    // sendfile(2), any sink since Linux 2.6.33
	Splice                      // splice(2) in and out of a private pipe
	Mmap                        // mmap(2) the source, write(2) the mapping
	Direct                      // O_DIRECT read and write, double-buffered
	ReadWrite                   // read(2) and write(2)
	TeePipe                     // tee(2): one pipe's pages referenced by another; only in reports of [Copier.Tee]
	Uncached                    // read and write with RWF_DONTCACHE; only by Options.NoCache
	methods
)

var methodNames = [methods]string{
	"auto", "reflink", "copy_file_range", "sendfile", "splice", "mmap", "direct", "readwrite", "tee", "dontcache",
}

// String returns the name that users write and read.
func (m Method) String() string {
	if m < methods {
		return methodNames[m]
	}
	return fmt.Sprintf("method(%d)", uint8(m))
}

// ParseMethod returns the method with the given name. TeePipe and
// Uncached are not to be asked for: one serves several sinks, the other follows
// from an option.
func ParseMethod(name string) (Method, bool) {
	for m := Auto; m <= ReadWrite; m++ {
		if methodNames[m] == name {
			return m, true
		}
	}
	return Auto, false
}

// MethodNames lists what [ParseMethod] takes.
func MethodNames() []string { return methodNames[: ReadWrite+1 : ReadWrite+1] }
