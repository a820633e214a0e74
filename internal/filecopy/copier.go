package filecopy

import (
	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/attr"
	"zeroutils/internal/filecopy/place"
	"zeroutils/internal/splice"
)

// A Copier copies one source after the other. It remembers those that were
// named, and keeps its buffers and pipes, until it is closed.
//
// It walks: all that depends on the order of things is decided here, one file
// after the other. What a file's own copy takes is the worker's.
type Copier struct {
	*worker

	memory  memory
	operand *entry  // the source being copied, as the user named it
	marked  bool    // the first directory that was made for it is remembered
	halted  bool    // it is about to be copied into itself
	levels  []level // the directories on the way to the current file
	kept    int     // how many of levels stay open; 0 if that is not known yet
	filling *filling
	dirents []byte

	alone bool // nobody will help
	few   int  // files with little or no data that were met
}

// New returns a Copier. It reads the umask, for which it has to set it for a
// moment: nothing else should create files then.
func New(o Options, l Listener) *Copier {
	umask := unix.Umask(attr.Permissions)
	unix.Umask(umask)
	s := &setting{options: o, umask: uint32(umask), privileged: unix.Geteuid() == 0, gauge: &Gauge{}, durable: o.Fsync}
	if o.Move {
		s.ledger = &ledger{}
		s.mover = &mover{s.ledger}
		s.options.Atomic, s.durable = true, true
	}
	j := newJournal(l)
	s.batch = newBatch(s, j)
	return &Copier{worker: newWorker(s, j), memory: newMemory()}
}

// Close gives back what the Copier holds.
func (c *Copier) Close() {
	c.crew.dismiss()
	c.worker.close()
}

// Gauge shows how far the Copier has come.
func (c *Copier) Gauge() *Gauge { return c.gauge }

// Report says how the contents were moved so far. Its time is that of all
// workers together.
func (c *Copier) Report() splice.Report {
	var total splice.Report
	total.Add(c.total)
	c.crew.all(func(w *worker) { total.Add(w.total) })
	return total
}

// Tally says why files share no blocks with their sources so far.
func (c *Copier) Tally() Tally {
	total := c.reasons
	c.crew.all(func(w *worker) {
		for r, n := range w.reasons {
			total[r] += n
		}
	})
	return total
}

// Verified says what was read back so far.
func (c *Copier) Verified() Verified {
	total := c.crew.verified()
	total.add(c.verified)
	return total
}

// A Target is a directory that sources are copied into.
type Target struct{ dir *place.Directory }

// OpenTarget opens an existing directory. It need not be readable. The error is
// a unix.Errno, ENOENT also for an empty path.
func OpenTarget(path string) (*Target, error) {
	d, err := place.OpenAs(place.Path(path), unix.O_PATH|unix.O_DIRECTORY, new(unix.Stat_t))
	if err != nil {
		return nil, err
	}
	return &Target{d}, nil
}

// Close closes the directory.
func (t *Target) Close() { t.dir.Close() }

// Into copies a source into a directory, under the last component of its name.
// For one that ends in .. that is the directory itself.
func (c *Copier) Into(t *Target, source string) {
	name := place.Base(source)
	if name == "" || name == ".." {
		name = "."
	}
	c.reserve(t.dir, name)
	c.start(&entry{src: place.Path(source), dst: place.In(t.dir, name)})
}

// To copies a source to a name. That nothing is there may be known already.
func (c *Copier) To(dest, source string, missing bool) {
	e := &entry{src: place.Path(source), dst: place.Path(dest)}
	if missing {
		e.action = Create
	}
	c.start(e)
}

func (c *Copier) start(e *entry) {
	e.role = byUser
	c.operand, c.marked, c.halted = e, false, false
	if c.stopped() {
		return
	}
	c.copy(e)
	c.settle()
	c.batch.end()
	if c.options.Fsync && !e.failed {
		c.syncNames(e)
	}
}

// An entry is one file on its way.
type entry struct {
	src, dst place.Place
	role     role
	kind     uint8 // of src, as a directory's entry says

	stat    unix.Stat_t    // of src
	id      place.Identity // of src, if it is moved
	fd      int            // src, if it is open; else -1
	crosses bool           // src is on another filesystem than dst: it cannot be renamed
	several *original      // src, if it is moved and has, or had, more than one name

	decision
	outcome
}

// A role is why there is an entry.
type role uint8

const (
	inTree   role = iota
	byUser        // it was named by the user
	onTheWay      // it is a directory on the way to what the user named
)

// An outcome is what has become of an entry.
type outcome struct {
	handed  bool  // a worker or the batch has it: it is no longer the walk's
	awaited bool  // the batch may take it
	waits   *item // the batch takes it
	entered bool  // it is a directory, and is finished when all that is in it is
	told    bool  // that it is copied
	placed  bool  // the copy has its name
	gone    bool  // the source has not
	failed  bool  // it is not as it should be
}

// is reports whether the source is of a kind, unix.S_IFREG and so on.
func (e *entry) is(kind uint32) bool { return e.stat.Mode&unix.S_IFMT == kind }

// copy copies one entry and reports what went wrong.
func (c *Copier) copy(e *entry) {
	c.wait(c.batch.openPages())
	e.fd = -1
	if p := c.copyEntry(e); p != nil {
		e.failed = true
		c.report(c.collided(e, p))
		c.takeBack(e)
	} else {
		c.keepBackup(e)
	}
	if e.handed {
		return
	}
	e.close()
	if e.is(unix.S_IFREG) {
		c.land(e)
	}
	if !e.entered {
		c.filling.note(e)
	}
}

func (e *entry) close() {
	if e.fd >= 0 {
		unix.Close(e.fd)
		e.fd = -1
	}
}

// copyEntry does one file. Problems within a directory, and those that leave
// more to be done, are reported on the way.
func (c *Copier) copyEntry(e *entry) *Problem {
	if err := c.look(e); err != nil {
		return &Problem{What: StatSource, Source: e.src.Path(), Err: err}
	}
	directory := e.is(unix.S_IFDIR)
	if directory && !c.options.Recursive {
		return &Problem{What: OmittedDirectory, Source: e.src.Path()}
	}
	if e.role == byUser && !directory && c.options.Backup.none() && c.memory.sourceTwice(e) {
		return &Problem{What: SourceTwice, Source: e.src.Path()}
	}
	problem := c.attempt(e)
	for range mostRaces {
		if !c.raced(e, problem) {
			break
		}
		e.close()
		e.decision = decision{}
		problem = c.attempt(e)
	}
	return problem
}

// mostRaces is how often a destination may come and go while a copy is made.
const mostRaces = 20

// raced reports whether a file has come to be where none was, when the complete
// copy was to be put there: what becomes of it is to be decided anew.
func (c *Copier) raced(e *entry, p *Problem) bool {
	return p != nil && p.Err == unix.EEXIST && (p.What == Commit || p.What == Move) &&
		e.found == nil && !e.dst.Fresh() && !c.stopped()
}

// attempt decides what becomes of one file, and carries it out.
func (c *Copier) attempt(e *entry) *Problem {
	p := c.decide(e)
	if p != nil || e.action == Skip {
		return p
	}
	p = c.carryOut(e)
	switch {
	case p != nil && !e.is(unix.S_IFDIR):
		c.memory.forget(e)
	case p == nil && e.role == byUser && !e.action.links() && c.mover == nil:
		c.memory.created(e)
	}
	return p
}

// carryOut does what was decided.
func (c *Copier) carryOut(e *entry) *Problem {
	switch {
	case e.action == Rename:
		crosses, p := c.rename(e)
		if !crosses {
			return p
		}
		e.crosses, e.action = true, e.otherwise
		return c.carryOut(e)
	case e.is(unix.S_IFDIR):
		return c.copyDirectory(e)
	}
	p := c.copyFile(e)
	if p != nil || e.handed {
		return p
	}
	e.placed = true
	if !e.is(unix.S_IFREG) || e.action.links() {
		c.sources.note(&e.stat)
	}
	if c.postpone(e) {
		return nil
	}
	return c.mover.finishOther(c.worker, e)
}

// copyFile copies what is no directory, by its kind.
func (c *Copier) copyFile(e *entry) *Problem {
	busy := c.busy(e)
	if !e.dst.Fresh() {
		c.settle()
	}
	if e.action != PutBeside && c.sources == nil {
		c.copying(e)
	}
	if done, p := c.copyName(e); done {
		return p
	}
	if c.sources != nil {
		c.copying(e) // mv does not tell of further names
	}
	switch {
	case c.options.Make == SymbolicLinks:
		return c.putSymbolicLink(e)
	case c.options.Make == HardLinks:
		return c.putHardLink(e, e.src, c.options.Existing.has(Force) || c.options.Ask)
	case e.is(unix.S_IFLNK):
		return c.copyLink(e)
	case e.is(unix.S_IFREG) && (busy || c.options.Jobs > 0 || c.batch.holds(e.dst.Dir)) && c.independent(e) && c.handOver(e):
		return nil
	case c.hasContents(e):
		return c.copyRegular(e)
	case e.is(unix.S_IFIFO):
		return c.copySpecial(e, CreateFIFO)
	case e.is(unix.S_IFBLK) || e.is(unix.S_IFCHR) || e.is(unix.S_IFSOCK):
		return c.copySpecial(e, CreateSpecial)
	}
	return &Problem{What: UnknownType, Source: e.src.Path()}
}

// look finds out what the source is. A directory's entry often says which kind
// of file it is; then opening it comes first, and saves a call. What cannot be
// opened, or is of another kind by now, is looked at by its name.
func (c *Copier) look(e *entry) error {
	switch e.kind {
	case unix.DT_REG:
		// Not to wait for a writer if it is a FIFO by now.
		if c.lookInside(e, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, unix.S_IFREG) {
			return nil
		}
	case unix.DT_DIR:
		if c.options.Recursive && c.lookInside(e, place.DirectoryFlags, unix.S_IFDIR) {
			return nil
		}
	}
	flags := unix.AT_SYMLINK_NOFOLLOW
	if c.follows(e) {
		flags = 0
	}
	c.ledger.know(e, -1)
	return place.Stat(e.src, &e.stat, flags)
}

func (c *Copier) lookInside(e *entry, flags int, kind uint32) bool {
	fd, err := place.Open(e.src, flags, 0)
	if err != nil {
		return false
	}
	c.ledger.know(e, fd)
	if err := place.Fstat(fd, &e.stat); err != nil || !e.is(kind) {
		unix.Close(fd)
		return false
	}
	e.fd = fd
	return true
}
