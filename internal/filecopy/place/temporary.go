package place

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// A temporary is a file in the directory of a destination, until it takes the
// destination's place. Its name comes from the destination's alone, so that
// what a killed run leaves is found, and removed, by the next one that copies
// to the same destination. Whoever writes a temporary holds a lock on it
// (flock(2)) for as long as it lives: one that can be locked is nobody's. What
// is made at once, such as a link, has its temporary name for a moment only, and
// is always nobody's: at worst, of two zcp that replace the same file at the
// same time one fails.
//
// A file of the user's may have such a name, as when a tree with one in it is
// copied. One that this run copies is not taken for a temporary: see Reserve.

const (
	temporaryPrefix = ".zcp-"
	// TemporarySlots is how many names a destination's temporaries have. When all
	// are taken, by as many zcp or by somebody who wants to be in the way, a name
	// gets a random part.
	TemporarySlots = 16
	// randomNames is how many of those are tried.
	randomNames = 100
	// listFrom is how many destinations in a directory are looked after by trying
	// the names of their temporaries, before all names in it are read, once.
	ListFrom = 4
)

// Temporary is one of the names for what is to be called p, a random one beyond
// TemporarySlots.
func (p Place) Temporary(slot int) Place {
	name := p.TemporaryStem()
	switch {
	case slot >= TemporarySlots:
		name += "-" + strconv.FormatUint(rand.Uint64(), 36)
	case slot > 0:
		name += "-" + strconv.Itoa(slot)
	}
	return p.Sibling(name)
}

// TemporaryStem is what the names of p's temporaries begin with. It is short,
// since p's own may be as long as a name can be. Bytes that some filesystems have
// in no name are part of it: there making the temporary fails, and not giving the
// complete copy its name.
func (p Place) TemporaryStem() string {
	base := p.Base()
	return temporaryPrefix + strconv.FormatUint(hashOf(base), 36) + Unusual(base)
}

// Unusual are the first characters of a name that some filesystem refuses.
func Unusual(name string) string {
	const longest = 40
	var b strings.Builder
	for i, r := range name {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(name[i:])
		}
		if (r < ' ' || r >= utf8.RuneSelf || strings.ContainsRune(`"*:<>?\|`, r)) && b.Len()+size <= longest {
			b.WriteString(name[i:][:size])
		}
	}
	return b.String()
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s)) // it never fails
	return h.Sum64()
}

// Impossible reports why no file can have the name of p, before a copy is made
// for it, where p was not looked at.
func (p Place) Impossible() error {
	const short = 100 // no filesystem refuses ASCII names for being that long
	base := p.Base()
	if !p.Fresh() || len(base) <= short && Unusual(base) == "" {
		return nil
	}
	err := Stat(p, new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return nil
	}
	return err
}

// Claim finds a name for what is to be called p, and gives it to what create
// makes there. A create that fails with EEXIST is asked again for the next
// name, or for the same if what had it was nobody's.
func Claim(p Place, create func(Place) error) (Place, error) {
	for slot := 0; ; {
		q := p.Temporary(slot)
		if q.Reserved() {
			slot++
			continue
		}
		err := create(q)
		if err != unix.EEXIST || slot == TemporarySlots+randomNames {
			return q, err
		}
		if !Abandoned(q) {
			slot++
		}
	}
}

// Reserve keeps names in a directory from temporaries, as long as no other names
// are reserved: they are those of sources that will be copied into it.
func (d *Directory) Reserve(names map[string]struct{}) { d.reserved = names }

// MayBeTemporary reports whether a name could be that of a temporary.
func MayBeTemporary(name string) bool { return strings.HasPrefix(name, temporaryPrefix) }

// Reserved reports whether a name is kept from temporaries.
func (p Place) Reserved() bool {
	if p.Dir == nil {
		return false
	}
	_, reserved := p.Dir.reserved[p.Name]
	return reserved
}

// LeftBehind are the names in the directory of p that temporaries of p may have,
// but for new ones of other processes. In a directory that this run has made
// there are none.
func (p Place) LeftBehind() (all []Place) {
	if p.Fresh() {
		return nil
	}
	if p.Dir != nil && !strings.Contains(p.Name, "/") {
		if names, listed := p.Dir.temporaries.list(p.Dir); listed {
			stem := p.TemporaryStem()
			for _, name := range names {
				if rest, ok := strings.CutPrefix(name, stem); ok && (rest == "" || rest[0] == '-') {
					all = append(all, p.Sibling(name))
				}
			}
			return all
		}
	}
	for slot := range TemporarySlots {
		if q := p.Temporary(slot); Exists(q) {
			all = append(all, q)
		}
	}
	return all
}

// A temporaryList is the names in a directory that are those of temporaries.
type temporaryList struct {
	mu    sync.Mutex
	asked int
	names []string
}

// list reads them when it is worth the while, and if the directory can be read.
func (l *temporaryList) list(d *Directory) (names []string, listed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked < 0 || l.asked > ListFrom {
		return l.names, l.asked > 0
	}
	if l.asked++; l.asked <= ListFrom {
		return nil, false
	}
	fd, err := Open(Place{d, "."}, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		l.asked = -1
		return nil, false
	}
	defer unix.Close(fd)
	found, err := ReadNames(fd, make([]byte, DirentBuffer))
	if err != nil {
		l.asked = -1
		return nil, false
	}
	for _, entry := range found.Entries {
		if name := found.Name(entry); strings.HasPrefix(name, temporaryPrefix) {
			l.names = append(l.names, strings.Clone(name))
		}
	}
	return l.names, true
}

// Sweep removes what killed runs have left beside p: files with one name, which
// nobody holds.
func Sweep(p Place) {
	for _, q := range p.LeftBehind() {
		var st unix.Stat_t
		if Stat(q, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && IsKind(&st, unix.S_IFREG) && st.Nlink == 1 {
			Abandoned(q)
		}
	}
}

// Abandoned removes a temporary that nobody holds, and reports whether it did.
// It takes no file that another user has made, none that this run has copied, and
// no directory.
func Abandoned(q Place) bool {
	if q.Reserved() {
		return false
	}
	var found unix.Stat_t
	if Stat(q, &found, unix.AT_SYMLINK_NOFOLLOW) == nil && (!IsKind(&found, unix.S_IFREG) || found.Nlink > 1) {
		return owned(&found) && Unlink(q, 0) == nil
	}
	fd, st, ours := OpenTemporary(q, unix.O_RDONLY)
	if !ours {
		return false
	}
	defer unix.Close(fd)
	return TryLock(fd) == nil && IsNamed(q, st) && Unlink(q, 0) == nil
}

// OpenTemporary opens what has a temporary's name, if it is ours by what it is:
// a regular file of this user's, with one name. Those of root have belonged to
// root until they got their owner.
func OpenTemporary(q Place, flags int) (fd int, st *unix.Stat_t, ours bool) {
	const never = unix.O_NOFOLLOW | unix.O_NONBLOCK // to follow a link, or to wait for a writer
	fd, err := Open(q, flags|never, 0)
	if err == unix.EACCES && flags == unix.O_RDONLY {
		fd, err = Open(q, unix.O_WRONLY|never, 0)
	}
	if err != nil {
		return -1, nil, false
	}
	st = new(unix.Stat_t)
	if Fstat(fd, st) == nil && IsKind(st, unix.S_IFREG) && st.Nlink == 1 && owned(st) {
		return fd, st, true
	}
	unix.Close(fd)
	return -1, nil, false
}

func owned(st *unix.Stat_t) bool {
	user := unix.Geteuid()
	return user == 0 || int(st.Uid) == user
}

// TryLock takes the lock of a file. EWOULDBLOCK says that somebody else has it;
// any other error is a filesystem without locks.
func TryLock(fd int) error {
	return Retry(func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
}

// IsNamed reports whether a file is what has a name.
func IsNamed(p Place, file *unix.Stat_t) bool {
	var st unix.Stat_t
	return Stat(p, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && IDOf(&st) == IDOf(file)
}
