package filecopy

import "zeroutils/internal/splice"

// Options say what is copied and what the copies keep. The zero value copies
// the contents of single files, over what is there.
type Options struct {
	// Recursive copies directories with all that is in them. Special files
	// are then made anew; without it they are read.
	Recursive bool
	// Contents lets special files be read also if Recursive is set.
	Contents bool
	// Links says which symbolic links among the sources are followed.
	Links Links
	// Make says what becomes of files that are no directories.
	Make Make
	// Existing says what to do with a file that is already there.
	Existing Existing
	// Update says which files that are already there get new contents.
	Update Update
	// Ask lets Listener.Confirm decide about each of these.
	Ask bool
	// Backup says which of these are kept under another name, and under which.
	Backup Backup
	// Preserve are the attributes that copies take over.
	Preserve Attributes
	// Lossy has attributes that cannot be taken over told, but does not take the
	// copy for failed then.
	Lossy bool
	// Xattrs says what happens if extended attributes cannot be taken over.
	Xattrs XattrTrouble
	// PlainModes gives new files the permissions that a shell would, unless
	// those of the source are preserved.
	PlainModes bool
	// Label is the security context that new files get, if it is not empty.
	Label string
	// Unlabelled leaves the security context out of the extended attributes.
	Unlabelled bool
	// AttributesOnly leaves the contents of copies as they are, or empty.
	AttributesOnly bool
	// OneFilesystem copies directories on other filesystems than the one that
	// was named, but not what is in them.
	OneFilesystem bool
	// KeepDirectoryLinks lets symbolic links be directories to copy into, also
	// below the one that was named. Whoever makes such a link then decides where
	// copies go.
	KeepDirectoryLinks bool
	// Data says how contents are moved.
	Data Data
	// Jobs is how many workers copy the files of a tree. 0 is as many as there
	// are CPUs, as soon as there is enough to do.
	Jobs int
	// Dangling allows a symbolic link to nothing as destination: the file it
	// names is created. It is dangerous, since anybody may have put it there,
	// and POSIX wants it.
	Dangling bool
	Safety
}

// Safety is what a copy does beyond cp, so that nothing is lost.
type Safety struct {
	// Atomic puts regular files in their places when they are complete: whoever
	// looks finds the old file or the new one. Old files are replaced, not
	// written to, so that their further hard links keep the old contents.
	Atomic bool
	// Fsync has files and their names on disk before they count as copied.
	Fsync bool
	// Move removes each source once its copy is on disk and in its place, or
	// renames it where that is enough. It implies Atomic. It is for copies that
	// keep what they can: special files, links, owners and so on.
	Move bool
	// Resume continues a partial copy that is a beginning of its source. With
	// Atomic that is what a failed or killed run left beside the destination,
	// which then keeps its name until it is complete or Resume is left out.
	Resume bool
	// Verify reads both files back and compares them, past the page cache where
	// the filesystem lets it. Only regular files and block devices can be.
	Verify bool
}

// Links says which symbolic links are followed.
type Links uint8

const (
	FollowLinks Links = iota // all: what they lead to is copied
	FollowNamed              // those that the user named; others become links
	CopyLinks                // none: a link becomes a link
)

// Make says what is made.
type Make uint8

const (
	Copies        Make = iota
	HardLinks          // to the sources
	SymbolicLinks      // to the sources, by the names that the user gave
)

// Existing is a set of what may be done, beyond writing to it, to a file that is
// already there.
type Existing uint8

const (
	Force   Existing = 1 << iota // replace it if it cannot be opened, or stands in the way of a link
	Replace                      // replace it in any case
)

// Update says which existing files, directories aside, may get new contents. The
// zero value is all.
type Update uint8

const (
	UpdateAll      Update = iota
	UpdateOlder           // those older than the source
	UpdateNone            // none
	UpdateNoneFail        // none, and it is a problem that they are there
)

func (e Existing) has(f Existing) bool { return e&f != 0 }

// Attributes is a set of what a copy keeps of its source besides the contents.
type Attributes uint8

const (
	Mode       Attributes = 1 << iota // permissions, set-id and sticky bits, access control lists
	Ownership                         // user and group
	Timestamps                        // of the last access and the last change, to the nanosecond
	Names                             // hard links between the sources
	Xattrs                            // extended attributes, but for those that are permissions
	Context                           // the extended attribute that is SELinux's
)

// XattrTrouble says what a failure with extended attributes means.
type XattrTrouble uint8

const (
	TellXattrs    XattrTrouble = iota // a warning, unless it is that the filesystem has none
	IgnoreXattrs                      // nothing
	RequireXattrs                     // a failure
)

func (a Attributes) has(b Attributes) bool { return a&b != 0 }

// Data says how the contents of regular files are moved.
type Data struct {
	Method  splice.Method
	Reflink Reflink
	Sparse  Sparse
	Direct  bool // past the page cache, where the filesystems can
	NoCache bool // leaving nothing in the page cache, as far as the kernel can
}

// Reflink says whether a copy may share its blocks with the source.
type Reflink uint8

const (
	ReflinkAuto   Reflink = iota // where the filesystem can
	ReflinkAlways                // or the file is not copied
	ReflinkNever                 // the copy has blocks of its own
)

// Sparse says which blocks of zeros become holes.
type Sparse uint8

const (
	SparseAuto   Sparse = iota // those that are holes in the source
	SparseAlways               // all
	SparseNever                // none
)

// An Overwrite is what is to be decided about an existing file.
type Overwrite struct {
	Dest     string
	Mode     uint32 // kind and permissions, as in stat(2)
	Writable bool   // by this process, or it is a symbolic link
}
