package filecopy

// A Listener hears what a copy does while it runs.
type Listener struct {
	// Tell is called with one event after the other, in the order in which one
	// worker alone would do things. A nil Tell hears nothing.
	Tell func(Event)
	// Confirm decides whether an existing file may get new contents. It is needed
	// if Options.Ask is set.
	Confirm func(*Overwrite) bool
	// ProblemsOnly leaves out all events but Problem and Busy. To put together the
	// names of all files takes time.
	ProblemsOnly bool
}

// An Event is a *Problem or one of the types below. Names are as the user gave
// them, with the names found in directories appended.
type Event interface{ event() }

// Copying tells that a file is about to be copied, or that a directory was made.
// What was there before is called Backup now, if that is not empty.
type Copying struct {
	Source, Dest, Backup string
	Action               Action
	Directory            bool
}

// Parent tells that a directory on the way to a source was made.
type Parent struct{ Source, Dest string }

// Copied tells how the contents of a file came to its copy, or that they did not.
type Copied struct{ How }

// Skipped tells that an existing file was left as it is, as Update says.
type Skipped struct{ Dest string }

// Removed tells that a file was replaced by a new one.
type Removed struct{ Dest string }

// Renamed tells that a source was moved without being copied. Backup is as in
// Copying.
type Renamed struct{ Source, Dest, Backup string }

// Exchanged tells that two files have swapped their names.
type Exchanged struct{ Source, Dest string }

// Gone tells that a source was removed, when it had been copied.
type Gone struct {
	Source    string
	Directory bool
}

// TakenBack tells that nothing came of a copy, and the backup has its old name
// again.
type TakenBack struct{ Backup, Dest string }

// Busy tells once that there is more to do than to copy a few small files.
type Busy struct{}

// Resumed tells that a partial copy is continued behind At bytes.
type Resumed struct {
	Dest string
	At   int64
}

// Compared tells that a copy was read back and is the same as its source. Direct
// says that neither came from the page cache.
type Compared struct {
	Dest   string
	Bytes  int64
	Direct bool
}

func (*Problem) event()  {}
func (Copying) event()   {}
func (Parent) event()    {}
func (Copied) event()    {}
func (Skipped) event()   {}
func (Removed) event()   {}
func (Renamed) event()   {}
func (Exchanged) event() {}
func (Gone) event()      {}
func (TakenBack) event() {}
func (Busy) event()      {}
func (Resumed) event()   {}
func (Compared) event()  {}

// details reports whether anybody wants to hear of more than problems.
func (w *worker) details() bool {
	l := &w.journal.listener
	return l.Tell != nil && !l.ProblemsOnly
}

// tell has the listener hear of an event when its turn comes.
func (w *worker) tell(e Event) {
	if w.journal.listener.Tell != nil {
		w.journal.note(w.page, e)
	}
}
