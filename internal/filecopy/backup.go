package filecopy

import (
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy/place"
)

// A Backup says what becomes of a file that another one takes the place of.
type Backup struct {
	Control Control
	Suffix  string // of simple backups, without a slash and not empty
}

// Control says which kind of backups are made.
type Control uint8

const (
	NoBackups Control = iota
	Simple            // file~
	Numbered          // file.~1~, file.~2~
	AsFound           // numbered where there are numbered ones, else simple
)

func (b Backup) none() bool { return b.Control == NoBackups }

// backsUp reports whether what is at the destination gets another name, as long
// as it is no directory. It is hard to say what . and .. would do to it.
func (c *Copier) backsUp(e *entry) bool {
	base := e.src.Base()
	return !c.options.Backup.none() && base != "." && base != ".."
}

// backUp gives what was found another name. The destination is free then.
func (c *Copier) backUp(e *entry) *Problem {
	endangered := &Problem{What: BackupIsSource, Source: e.src.Path(), Dest: e.dst.Path()}
	if c.ledger != nil {
		endangered.What = BackupIsMoved
	}
	name := c.options.Backup.name(e.dst, "")
	if c.backupIsSource(e, name) || !name.unique && c.madeHere(e.dst.Sibling(name.text)) {
		return endangered
	}
	if c.options.Atomic && !e.is(unix.S_IFDIR) && !c.sticks(e) {
		if err := c.options.Backup.link(e); err == nil {
			e.action = PutBeside
			return nil
		}
	}
	backup, err := c.options.Backup.rename(e.dst)
	switch err {
	case nil:
		e.backup = backup
	case unix.ENOENT: // it is gone
	default:
		return &Problem{What: BackUp, Dest: e.dst.Path(), Err: err}
	}
	e.found, e.action = nil, Create
	return nil
}

// backupIsSource reports whether the backup would replace the source, also if
// its name was shortened. As GNU cp does, it takes one for a simple backup although
// there are numbered ones.
func (c *Copier) backupIsSource(e *entry, name backupName) bool {
	b, base := c.options.Backup, e.src.Base()
	simple := b.Control != Numbered && base == e.dst.Base()+b.Suffix
	if !simple && (name.unique || name.text != base) {
		return false
	}
	var st unix.Stat_t
	return place.Stat(e.dst.Sibling(base), &st, 0) == nil && place.IDOf(&st) == place.IDOf(&e.stat)
}

// takeBack gives the backup its old name, if a copy has failed.
func (c *Copier) takeBack(e *entry) {
	if e.backup.Name == "" || e.placed {
		c.keepBackup(e)
		return
	}
	if e.found != nil { // dst has its name still, or was replaced
		c.takeBackLink(e)
		return
	}
	if err := place.Rename(e.backup, e.dst); err != nil {
		c.report(&Problem{What: TakeBack, Dest: e.dst.Path(), Err: err})
		return
	}
	if c.details() {
		c.tell(TakenBack{e.backup.Path(), e.dst.Path()})
	}
}

// takeBackLink removes the link to what was found, which has its own name still,
// and gives an older backup its name again.
func (c *Copier) takeBackLink(e *entry) {
	var st unix.Stat_t
	if place.Stat(e.backup, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || !place.IsNamed(e.dst, &st) {
		c.keepBackup(e)
		return
	}
	link := e.backup
	if e.older.Name != "" && place.Exchange(e.older, e.backup) == nil {
		link = e.older
	}
	place.Unlink(link, 0)
}

// keepBackup removes the older backup, since there is a new one.
func (c *Copier) keepBackup(e *entry) {
	if e.older.Name != "" {
		place.Unlink(e.older, 0)
	}
}

// backupPath is what users call the backup, if there is one to tell of.
func (e *entry) backupPath() string {
	if e.backup.Name == "" || e.is(unix.S_IFDIR) {
		return ""
	}
	return e.backup.Path()
}

// rename gives a file the name of its backup. A numbered one never takes the
// place of another file, if the filesystem can tell.
func (b Backup) rename(p place.Place) (place.Place, error) {
	for taken := ""; ; {
		name := b.name(p, taken)
		backup := p.Sibling(name.text)
		if !name.unique {
			return backup, place.Rename(p, backup)
		}
		err := place.RenameNew(p, backup)
		if err != unix.EEXIST || name.number == "" {
			return backup, err
		}
		taken = name.number
	}
}

// link gives what was found the name of its backup besides its own, which it
// keeps until another one takes its place. An older backup stays beside it until
// then, since nothing may come of the copy. Some filesystems have no hard links.
func (b Backup) link(e *entry) error {
	for taken := ""; ; {
		name := b.name(e.dst, taken)
		backup := e.dst.Sibling(name.text)
		err := place.Link(e.dst, backup, 0)
		if err == unix.EEXIST && !name.unique {
			err = b.linkOver(e, backup)
		}
		if err != unix.EEXIST || name.number == "" {
			if err == nil {
				e.backup = backup
			}
			return err
		}
		taken = name.number
	}
}

// linkOver puts the link in the place of an older backup, which gets a temporary
// name if the filesystem can exchange names, and else is lost.
func (b Backup) linkOver(e *entry, backup place.Place) error {
	var older unix.Stat_t
	if err := place.Stat(backup, &older, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if place.IsKind(&older, unix.S_IFDIR) {
		return unix.EISDIR
	}
	temporary, err := place.Claim(backup, func(p place.Place) error { return place.Link(e.dst, p, 0) })
	if err != nil {
		return err
	}
	switch err = place.Exchange(temporary, backup); err {
	case nil:
		e.older = temporary
		return nil
	case unix.EINVAL, unix.ENOSYS:
		err = place.Rename(temporary, backup)
	}
	if err != nil {
		place.Unlink(temporary, 0)
	}
	return err
}

// sticks reports whether what was found cannot be replaced, since it belongs to
// somebody else, in a directory like /tmp. A link to it could not be removed
// either.
func (c *Copier) sticks(e *entry) bool {
	user := uint32(unix.Geteuid())
	if c.privileged || e.found.Uid == user {
		return false
	}
	var dir unix.Stat_t
	return place.Stat(e.dst.Sibling("."), &dir, 0) != nil || dir.Mode&unix.S_ISVTX != 0 && dir.Uid != user
}

// Name is the path that the backup of the file at a path would have.
func (b Backup) Name(path string) string {
	p := place.Path(path)
	return p.Sibling(b.name(p, "").text).Path()
}

const (
	// longest is the length in bytes of the longest names, NAME_MAX.
	longest = 255
	// longestBackup is that of the backups that GNU cp makes if they are not
	// simple ones.
	longestBackup = longest - 1
)

// A backupName is what the backup of a file is called.
type backupName struct {
	text   string
	number string // the last part of the name, if it is one
	unique bool   // it replaces no other file
}

// name finds a name: with the next number after those that can be seen, and
// after one that is taken although the directory cannot be read. Where the name
// would be too long for that, or for the suffix, it is shortened to end in ~.
func (b Backup) name(p place.Place, taken string) backupName {
	base := p.Base()
	name, limit, last := backupName{text: base + b.Suffix}, longest, ""
	if b.Control != Simple {
		limit, last = longestBackup, lastBackup(p)
		if higher(taken, last) {
			last = taken
		}
	}
	if last != "" || b.Control == Numbered {
		number := increment(last)
		name = backupName{base + ".~" + number + "~", number, true}
		if len(number) == len(last) { // the last one fits, too
			return name
		}
	}
	if len(name.text) > limit {
		name.text, name.number = shortened(base, limit), ""
	}
	return name
}

// shortened is a name that ends in ~ instead of a suffix. As GNU's, it has two
// bytes less than the limit of those names that are that long.
func shortened(base string, limit int) string {
	if len(base) < limit {
		return base + "~"
	}
	return base[:longestBackup-1] + "~"
}

// lastBackup is the highest number among the numbered backups of a file.
func lastBackup(p place.Place) (last string) {
	dir, err := place.OpenAs(p.Sibling("."), unix.O_RDONLY|unix.O_DIRECTORY, new(unix.Stat_t))
	if err != nil {
		return ""
	}
	defer dir.Close()
	names, _ := place.ReadNames(dir.FD, make([]byte, place.DirentBuffer))
	for _, found := range names.Entries {
		number, ok := strings.CutPrefix(names.Name(found), p.Base()+".~")
		number, tilde := strings.CutSuffix(number, "~")
		if ok && tilde && isNumber(number) && higher(number, last) {
			last = strings.Clone(number)
		}
	}
	return last
}

func isNumber(s string) bool {
	return s != "" && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// higher compares numbers of any length.
func higher(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }

// increment adds one to a number of any length. The empty one is zero.
func increment(number string) string {
	digits := []byte(number)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] < '9' {
			digits[i]++
			return string(digits)
		}
		digits[i] = '0'
	}
	return "1" + string(digits)
}
