package filecopy

// A Problem is one thing that a copy could not do, or would not.
type Problem struct {
	What   What
	Source string // empty where What does not concern it
	Dest   string // empty where What does not concern it
	Err    error  // what the kernel or the engine said; nil for a refusal

	Tolerated bool // the copy counts as complete nevertheless
}

func (p *Problem) Error() string {
	text := problems[p.What]
	for _, name := range []string{p.Source, p.Dest} {
		if name != "" {
			text += ": " + name
		}
	}
	if p.Err != nil {
		text += ": " + p.Err.Error()
	}
	return text
}

func (p *Problem) Unwrap() error { return p.Err }

// Warning reports whether the problem is none after all: nothing is missing
// among the copies.
func (p *Problem) Warning() bool {
	if p.Tolerated {
		return true
	}
	return p.Tolerated || p.What == SourceTwice || p.What == DirectoryTwice || p.What == StartedOver
}

// resumable reports whether a partial copy is worth continuing: not one that
// is known to be wrong, and not one that could not be written back: the next run
// would find it whole in the page cache.
func (p *Problem) resumable() bool {
	switch p.What {
	case Differs, SourceChanged, Sync, Close:
		return false
	}
	return true
}

// What is the kind of a problem. For each, the names that its Problem has
// stand behind it: S is Source, D is Dest.
type What uint8

const (
	// Refusals: nothing was touched.

	OmittedDirectory       What = iota // S
	SourceTwice                        // S, a warning
	DirectoryTwice                     // S, a warning
	SameFile                           // S D
	DirectoryOverFile                  // S D
	FileOverDirectory                  // S D
	OverJustCreated                    // S D
	ThroughJustCreatedLink             // S D
	ThroughDanglingLink                // D
	IntoItself                         // S D, as named by the user
	HardLinkToDirectory                // S D: the directory is copied to S already
	CyclicLink                         // S
	RelativeLink                       // D: it is not where the link would lead to the source
	NotReplaced                        // D
	ParentIsNoDirectory                // D
	Declined                           // D, by the user
	BackupIsSource                     // S D
	BackupIsMoved                      // S D: the backup would replace the source, or what was moved before
	Replaced                           // S was replaced by another file meanwhile
	UnknownType                        // S
	Unserved                           // S D: the method cannot copy these
	Irreplaceable                      // D is no regular file, and so is not replaced by one
	Unverifiable                       // S D are not both regular files or block devices
	NoRoom                             // D
	StartedOver                        // D, a warning: what was there is no beginning of the source

	// Failures of the source.

	StatSource    // S
	StatParent    // S, a directory on the way to what the user named
	OpenSource    // S
	ReadDirectory // S
	ReadLink      // S
	Read          // S
	SeekSource    // S

	// Failures of the destination.

	StatDest        // D
	LostDirectory   // D, which was moved while its subdirectories were copied
	CreateDirectory // D
	MakeParent      // D
	CreateFile      // D
	CreateLink      // D
	CreateLinkTo    // S D
	CreateHardLink  // S D
	CreateFIFO      // D
	CreateSpecial   // D
	Remove          // D
	BackUp          // D
	TakeBack        // D: its backup keeps its name
	Clone           // S D
	SeekDest        // D
	Write           // D
	Extend          // D
	Close           // D
	Sync            // D, a file or a directory
	Commit          // D: the complete copy could not be put in its place
	ReadBack        // D
	Differs         // S D
	Interrupted     // D, which is not complete
	Move            // S D: it cannot be renamed
	MoveIntoItself  // S D
	SourceChanged   // S, while it was moved: it stays
	Vanished        // S D: S was removed while it was moved, and D is what is left
	Arrived         // S: there is more in the directory than was moved, as Err says
	Unkept          // S D: not all attributes of S can be kept, as Err says
	RemoveSource    // S, which is moved otherwise

	// Attributes that were not taken over.

	OpenUpDirectory     // D: its owner's permissions
	PreserveTimes       // D
	PreserveParentTimes // D, a directory on the way to what the user named
	PreserveOwnership   // D
	ClearPermissions    // D, before its owner changes
	PreservePermissions // D
	PreserveMode        // D: with its access control list
	PlainPermissions    // D
	ListXattrs          // S
	GetXattr            // S D: Source is an attribute of the source Dest
	SetXattr            // S D: Source is an attribute
	SetXattrs           // D

	whats
)

var problems = [whats]string{
	OmittedDirectory:       "directory omitted",
	SourceTwice:            "source given more than once",
	DirectoryTwice:         "source directory given more than once",
	SameFile:               "source and destination are the same file",
	DirectoryOverFile:      "directory would replace a file",
	FileOverDirectory:      "file would replace a directory",
	OverJustCreated:        "would overwrite what was just created",
	ThroughJustCreatedLink: "would write through a link just created",
	ThroughDanglingLink:    "would write through a dangling link",
	IntoItself:             "directory would be copied into itself",
	HardLinkToDirectory:    "directory is reached twice",
	CyclicLink:             "link leads to a directory that it is in",
	RelativeLink:           "relative link would not lead to the source",
	NotReplaced:            "not replaced",
	ParentIsNoDirectory:    "is no directory",
	Declined:               "not to be replaced",
	BackupIsSource:         "backup would replace the source",
	BackupIsMoved:          "backup would replace what is moved",
	Replaced:               "source was replaced meanwhile",
	UnknownType:            "unknown file type",
	Unserved:               "method cannot serve",
	Irreplaceable:          "is no regular file",
	Unverifiable:           "cannot be compared",
	NoRoom:                 "does not fit",
	StartedOver:            "cannot be continued",

	StatSource:    "stat source",
	StatParent:    "stat directory",
	OpenSource:    "open source",
	ReadDirectory: "read directory",
	ReadLink:      "read link",
	Read:          "read",
	SeekSource:    "seek",

	StatDest:        "stat destination",
	LostDirectory:   "find directory again",
	CreateDirectory: "create directory",
	MakeParent:      "make directory",
	CreateFile:      "create file",
	CreateLink:      "create link",
	CreateLinkTo:    "create link",
	CreateHardLink:  "create hard link",
	CreateFIFO:      "create FIFO",
	CreateSpecial:   "create special file",
	Remove:          "remove",
	BackUp:          "back up",
	TakeBack:        "take back from backup",
	Clone:           "clone",
	SeekDest:        "seek",
	Write:           "write",
	Extend:          "extend",
	Close:           "close",
	Sync:            "sync",
	Commit:          "put in place",
	ReadBack:        "read back",
	Differs:         "differ",
	Interrupted:     "interrupted",
	Move:            "move",
	MoveIntoItself:  "directory would be moved into itself",
	SourceChanged:   "source has changed",
	Vanished:        "source has vanished",
	Arrived:         "source is not empty",
	Unkept:          "attributes cannot be kept",
	RemoveSource:    "remove source",

	OpenUpDirectory:     "open up directory",
	PreserveTimes:       "preserve times",
	PreserveParentTimes: "preserve times",
	PreserveOwnership:   "preserve ownership",
	ClearPermissions:    "clear permissions",
	PreservePermissions: "preserve permissions",
	PreserveMode:        "preserve permissions",
	PlainPermissions:    "set permissions",
	ListXattrs:          "list attributes",
	GetXattr:            "get attribute",
	SetXattr:            "set attribute",
	SetXattrs:           "set attributes",
}
