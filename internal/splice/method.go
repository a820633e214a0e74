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

	lastNamed = ReadWrite // a user may ask for the methods up to here

	TeePipe  Method = iota - 1 // tee(2): a second pipe refers to the pages of the first; [Copier.Tee] reports it
	Uncached                   // read and write with RWF_DONTCACHE; Options.NoCache asks for it
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

// ParseMethod returns the method with the given name, if a user may ask for it.
func ParseMethod(name string) (Method, bool) {
	for m := Auto; m <= lastNamed; m++ {
		if methodNames[m] == name {
			return m, true
		}
	}
	return Auto, false
}

// MethodNames lists what [ParseMethod] takes.
func MethodNames() []string { return methodNames[: lastNamed+1 : lastNamed+1] }
