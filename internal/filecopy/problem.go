package filecopy

import "fmt"

// A Problem is one thing that a copy could not do, or would not.
type Problem struct {
	What   What
	Source string // empty where What does not concern it
	Dest   string // empty where What does not concern it
	Err    error  // what the kernel or the engine said; nil for a refusal

	Tolerated bool // the copy counts as complete nevertheless
}

// Error is the message with names as they are, and the reason behind it.
func (p *Problem) Error() string {
	text := p.Message(func(_ Name, name string) string { return name })
	if p.Err != nil {
		text += ": " + p.Err.Error()
	}
	return text
}

// Message is the text for users, without the reason in Err, and with names
// quoted as they are to be. It is empty if the user knows.
func (p *Problem) Message(quote func(Name, string) string) string {
	m := &messages[p.What]
	names := make([]any, len(m.names))
	for i, n := range m.names {
		name := p.Dest
		if n == SourceName {
			name = p.Source
		}
		names[i] = quote(n, name)
	}
	return fmt.Sprintf(m.text, names...)
}

func (p *Problem) Unwrap() error { return p.Err }

// Warning reports whether the problem is none after all: nothing is missing
// among the copies.
func (p *Problem) Warning() bool {
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
	Overwriting     // D: it cannot be renamed over
	Exchange        // S D: they cannot swap their names
	RemoveTarget    // S D: D, on another filesystem, cannot be replaced
	DotDirectory    // S, which is . or .., is not removed
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

// A Name is a place in a message, and says how the name there is quoted.
type Name uint8

const (
	SourceName Name = iota
	DestName
	DestLocale // as other words are quoted
	DestWord   // as it is, if a shell would take it for one word
)

// A message is a text with a place for each of the names. Where GNU cp says the
// same, it is its text.
type message struct {
	text  string
	names []Name
}

var messages = [whats]message{
	OmittedDirectory:       {"-r not specified; omitting directory %s", []Name{SourceName}},
	SourceTwice:            {"warning: source file %s specified more than once", []Name{SourceName}},
	DirectoryTwice:         {"warning: source directory %s specified more than once", []Name{SourceName}},
	SameFile:               {"%s and %s are the same file", []Name{SourceName, DestName}},
	DirectoryOverFile:      {"cannot overwrite non-directory %s with directory %s", []Name{DestName, SourceName}},
	FileOverDirectory:      {"cannot overwrite directory %s with non-directory %s", []Name{DestName, SourceName}},
	OverJustCreated:        {"will not overwrite just-created %s with %s", []Name{DestName, SourceName}},
	ThroughJustCreatedLink: {"will not copy %s through just-created symlink %s", []Name{SourceName, DestName}},
	ThroughDanglingLink:    {"not writing through dangling symlink %s", []Name{DestName}},
	IntoItself:             {"cannot copy a directory, %s, into itself, %s", []Name{SourceName, DestName}},
	HardLinkToDirectory:    {"will not create hard link %s to directory %s", []Name{DestName, SourceName}},
	CyclicLink:             {"cannot copy cyclic symbolic link %s", []Name{SourceName}},
	RelativeLink:           {"%s: can make relative symbolic links only in current directory", []Name{DestWord}},
	NotReplaced:            {"not replacing %s", []Name{DestName}},
	ParentIsNoDirectory:    {"%s exists but is not a directory", []Name{DestName}},
	Declined:               {"", nil}, // the user knows
	BackupIsSource:         {"backing up %s might destroy source;  %s not copied", []Name{DestName, SourceName}},
	BackupIsMoved:          {"backing up %s might destroy source;  %s not moved", []Name{DestName, SourceName}},
	Replaced:               {"skipping file %s, as it was replaced while being copied", []Name{SourceName}},
	UnknownType:            {"%s has unknown file type", []Name{SourceName}},
	Unserved:               {"cannot copy %s to %s", []Name{SourceName, DestName}},
	Irreplaceable:          {"not replacing %s: it is not a regular file", []Name{DestName}},
	Unverifiable:           {"cannot verify %s: it or %s is not a regular file or block device", []Name{DestName, SourceName}},
	NoRoom:                 {"no room for %s", []Name{DestName}},
	StartedOver:            {"starting over with %s", []Name{DestName}},

	StatSource:    {"cannot stat %s", []Name{SourceName}},
	StatParent:    {"failed to get attributes of %s", []Name{SourceName}},
	OpenSource:    {"cannot open %s for reading", []Name{SourceName}},
	ReadDirectory: {"cannot access %s", []Name{SourceName}},
	ReadLink:      {"cannot read symbolic link %s", []Name{SourceName}},
	Read:          {"error reading %s", []Name{SourceName}},
	SeekSource:    {"cannot lseek %s", []Name{SourceName}},

	StatDest:        {"cannot stat %s", []Name{DestName}},
	LostDirectory:   {"cannot access %s", []Name{DestName}},
	CreateDirectory: {"cannot create directory %s", []Name{DestName}},
	MakeParent:      {"cannot make directory %s", []Name{DestName}},
	CreateFile:      {"cannot create regular file %s", []Name{DestName}},
	CreateLink:      {"cannot create symbolic link %s", []Name{DestName}},
	CreateLinkTo:    {"cannot create symbolic link %s to %s", []Name{DestName, SourceName}},
	CreateHardLink:  {"cannot create hard link %s to %s", []Name{DestName, SourceName}},
	CreateFIFO:      {"cannot create fifo %s", []Name{DestName}},
	CreateSpecial:   {"cannot create special file %s", []Name{DestName}},
	Remove:          {"cannot remove %s", []Name{DestName}},
	BackUp:          {"cannot backup %s", []Name{DestName}},
	TakeBack:        {"cannot un-backup %s", []Name{DestName}},
	Clone:           {"failed to clone %s from %s", []Name{DestName, SourceName}},
	SeekDest:        {"cannot lseek %s", []Name{DestName}},
	Write:           {"error writing %s", []Name{DestName}},
	Extend:          {"failed to extend %s", []Name{DestName}},
	Close:           {"failed to close %s", []Name{DestName}},
	Sync:            {"error syncing %s", []Name{DestName}},
	Commit:          {"cannot put %s in place", []Name{DestName}},
	ReadBack:        {"error reading back %s", []Name{DestName}},
	Differs:         {"verification failed: %s differs from %s", []Name{DestName, SourceName}},
	Interrupted:     {"interrupted before %s was complete", []Name{DestName}},
	Move:            {"cannot move %s to %s", []Name{SourceName, DestName}},
	MoveIntoItself:  {"cannot move %s to a subdirectory of itself, %s", []Name{SourceName, DestName}},
	SourceChanged:   {"not removing %s: it has changed meanwhile", []Name{SourceName}},
	Overwriting:     {"cannot overwrite %s", []Name{DestName}},
	Exchange:        {"cannot exchange %s and %s", []Name{SourceName, DestName}},
	RemoveTarget:    {"inter-device move failed: %s to %s; unable to remove target", []Name{SourceName, DestName}},
	DotDirectory:    {"refusing to remove '.' or '..' directory: skipping %s", []Name{SourceName}},
	Vanished:        {"%s vanished while it was moved; its copy is %s", []Name{SourceName, DestName}},
	Arrived:         {"not removing %s", []Name{SourceName}},
	Unkept:          {"cannot move %s to %s with all its attributes", []Name{SourceName, DestName}},
	RemoveSource:    {"cannot remove %s", []Name{SourceName}},

	OpenUpDirectory:     {"setting permissions for %s", []Name{DestName}},
	PreserveTimes:       {"preserving times for %s", []Name{DestName}},
	PreserveParentTimes: {"failed to preserve times for %s", []Name{DestName}},
	PreserveOwnership:   {"failed to preserve ownership for %s", []Name{DestName}},
	ClearPermissions:    {"clearing permissions for %s", []Name{DestName}},
	PreservePermissions: {"preserving permissions for %s", []Name{DestName}},
	PreserveMode:        {"preserving permissions for %s", []Name{DestLocale}},
	PlainPermissions:    {"setting permissions for %s", []Name{DestLocale}},
	ListXattrs:          {"listing attributes of %s", []Name{SourceName}},
	GetXattr:            {"getting attribute %s of %s", []Name{SourceName, DestName}},
	SetXattr:            {"setting attribute %s for %s", []Name{SourceName, DestName}},
	SetXattrs:           {"setting attributes for %s", []Name{DestName}},
}
