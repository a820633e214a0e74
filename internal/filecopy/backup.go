package filecopy

import (
	"strings"

	"golang.org/x/sys/unix"
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
	base := e.src.base()
	return !c.options.Backup.none() && base != "." && base != ".."
}

// backUp gives what was found another name. The destination is free then.
func (c *Copier) backUp(e *entry) *Problem {
	endangered := &Problem{What: BackupIsSource, Source: e.src.path(), Dest: e.dst.path()}
	if c.mover != nil {
		endangered.What = BackupIsMoved
	}
	if c.options.Backup.Control != Numbered && c.backupIsSource(e) {
		return endangered
	}
	name, number := c.options.Backup.name(e.dst, "")
	if number == "" && c.madeHere(e.dst.sibling(name)) {
		return endangered
	}
	if c.options.Atomic && !e.is(unix.S_IFDIR) && !c.sticks(e) {
		if err := c.options.Backup.link(e); err == nil {
			e.replace = true
			return nil
		}
	}
	backup, err := c.options.Backup.rename(e.dst)
	switch err {
	case nil:
		e.backup = backup
	case unix.ENOENT: // it is gone
	default:
		return &Problem{What: BackUp, Dest: e.dst.path(), Err: err}
	}
	e.found, e.missing = nil, true
	return nil
}

// backupIsSource reports whether a simple backup would replace the source.
func (c *Copier) backupIsSource(e *entry) bool {
	name := e.dst.base() + c.options.Backup.Suffix
	if e.src.base() != name {
		return false
	}
	var st unix.Stat_t
	return fstatat(e.dst.sibling(name), &st, 0) == nil && idOf(&st) == idOf(&e.stat)
}

// takeBack gives the backup its old name, if a copy has failed.
func (c *Copier) takeBack(e *entry) {
	if e.backup.name == "" || e.placed {
		c.keepBackup(e)
		return
	}
	if e.replace { // dst has its name still, or was replaced
		c.takeBackLink(e)
		return
	}
	if err := rename(e.backup, e.dst); err != nil {
		c.report(&Problem{What: TakeBack, Dest: e.dst.path(), Err: err})
		return
	}
	if c.journal.events.Unmoved != nil {
		backup, dest := e.backup.path(), e.dst.path()
		c.journal.note(c.page, func(to Events) { to.Unmoved(backup, dest) })
	}
}

// takeBackLink removes the link to what was found, which has its own name still,
// and gives an older backup its name again.
func (c *Copier) takeBackLink(e *entry) {
	var st unix.Stat_t
	if fstatat(e.backup, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || !named(e.dst, &st) {
		c.keepBackup(e)
		return
	}
	link := e.backup
	if e.older.name != "" && exchange(e.older, e.backup) == nil {
		link = e.older
	}
	unlinkat(link, 0)
}

// keepBackup removes the older backup, since there is a new one.
func (c *Copier) keepBackup(e *entry) {
	if e.older.name != "" {
		unlinkat(e.older, 0)
	}
}

// backupPath is what users call the backup, if there is one to tell of.
func (e *entry) backupPath() string {
	if e.backup.name == "" || e.is(unix.S_IFDIR) {
		return ""
	}
	return e.backup.path()
}

// rename gives a file the name of its backup. A numbered one never takes the
// place of another file, if the filesystem can tell.
func (b Backup) rename(p place) (place, error) {
	for taken := ""; ; {
		name, number := b.name(p, taken)
		backup := p.sibling(name)
		if number == "" {
			return backup, rename(p, backup)
		}
		err := renameNew(p, backup)
		if err != unix.EEXIST {
			return backup, err
		}
		taken = number
	}
}

// link gives what was found the name of its backup besides its own, which it
// keeps until another one takes its place. An older backup stays beside it until
// then, since nothing may come of the copy. Some filesystems have no hard links.
func (b Backup) link(e *entry) error {
	for taken := ""; ; {
		name, number := b.name(e.dst, taken)
		backup := e.dst.sibling(name)
		err := linkat(e.dst, backup, 0)
		if err == unix.EEXIST && number == "" {
			err = b.linkOver(e, backup)
		}
		if err != unix.EEXIST || number == "" {
			if err == nil {
				e.backup = backup
			}
			return err
		}
		taken = number
	}
}

// linkOver puts the link in the place of an older backup, which gets a temporary
// name if the filesystem can exchange names, and else is lost.
func (b Backup) linkOver(e *entry, backup place) error {
	var older unix.Stat_t
	if err := fstatat(backup, &older, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if isKind(&older, unix.S_IFDIR) {
		return unix.EISDIR
	}
	temporary, err := claim(backup, func(p place) error { return linkat(e.dst, p, 0) })
	if err != nil {
		return err
	}
	switch err = exchange(temporary, backup); err {
	case nil:
		e.older = temporary
		return nil
	case unix.EINVAL, unix.ENOSYS:
		err = rename(temporary, backup)
	}
	if err != nil {
		unlinkat(temporary, 0)
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
	return fstatat(e.dst.sibling("."), &dir, 0) != nil || dir.Mode&unix.S_ISVTX != 0 && dir.Uid != user
}

// Name is the path that the backup of the file at a path would have.
func (b Backup) Name(path string) string {
	p := place{nil, path}
	name, _ := b.name(p, "")
	return p.sibling(name).path()
}

// longest is the length in bytes of the longest names, NAME_MAX.
const longest = 255

// name is what the backup of a file is called, with its number if it has one:
// the next after those that can be seen, and after one that is taken although
// the directory cannot be read.
func (b Backup) name(p place, taken string) (name, number string) {
	base := p.base()
	if b.Control != Simple {
		last := lastBackup(p)
		if higher(taken, last) {
			last = taken
		}
		if last != "" || b.Control == Numbered {
			number = increment(last)
			return base + ".~" + number + "~", number
		}
	}
	if len(base)+len(b.Suffix) <= longest {
		return base + b.Suffix, ""
	}
	return base[:min(len(base), longest-1)] + "~", ""
}

// lastBackup is the highest number among the numbered backups of a file.
func lastBackup(p place) (last string) {
	dir, err := open(p.sibling("."), unix.O_RDONLY|unix.O_DIRECTORY, new(unix.Stat_t))
	if err != nil {
		return ""
	}
	defer dir.close()
	names, _ := readNames(dir.fd, make([]byte, direntBuffer))
	for _, found := range names.entries {
		number, ok := strings.CutPrefix(names.name(found), p.base()+".~")
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
