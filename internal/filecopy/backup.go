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
	if c.options.Atomic && !e.is(unix.S_IFDIR) {
		if backup, err := c.options.Backup.link(e.dst); err == nil {
			e.backup, e.replace = backup, true
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
	if e.backup.name == "" {
		return
	}
	if e.replace { // dst has its name still, or was replaced
		var st unix.Stat_t
		if fstatat(e.backup, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && named(e.dst, &st) {
			unlinkat(e.backup, 0)
		}
		return
	}
	if err := renameat(e.backup, e.dst, 0); err != nil {
		c.report(&Problem{What: TakeBack, Dest: e.dst.path(), Err: err})
		return
	}
	if c.journal.events.Unmoved != nil {
		backup, dest := e.backup.path(), e.dst.path()
		c.journal.note(c.page, func(to Events) { to.Unmoved(backup, dest) })
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
			return backup, renameat(p, backup, 0)
		}
		err := renameat(p, backup, unix.RENAME_NOREPLACE)
		if err != unix.EEXIST {
			return backup, err
		}
		taken = number
	}
}

// link gives a file the name of its backup besides its own, which it keeps
// until another one takes its place. Some filesystems have no hard links.
func (b Backup) link(p place) (place, error) {
	for taken := ""; ; {
		name, number := b.name(p, taken)
		backup := p.sibling(name)
		err := linkat(p, backup, 0)
		if err != unix.EEXIST {
			return backup, err
		}
		if taken = number; number != "" {
			continue
		}
		if err := unlinkat(backup, 0); err != nil {
			return backup, err
		}
	}
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
