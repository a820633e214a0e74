package filecopy

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
// copied. One that this run copies is not taken for a temporary: see reserve.

const (
	temporaryPrefix = ".zcp-"
	// temporarySlots is how many names a destination's temporaries have. When all
	// are taken, by as many zcp or by somebody who wants to be in the way, a name
	// gets a random part.
	temporarySlots = 16
	// randomNames is how many of those are tried.
	randomNames = 100
	// listFrom is how many destinations in a directory are looked after by trying
	// the names of their temporaries, before all names in it are read, once.
	listFrom = 4
)

// temporary is one of the names for what is to be called p, a random one beyond
// temporarySlots.
func (p place) temporary(slot int) place {
	name := p.temporaryStem()
	switch {
	case slot >= temporarySlots:
		name += "-" + strconv.FormatUint(rand.Uint64(), 36)
	case slot > 0:
		name += "-" + strconv.Itoa(slot)
	}
	return p.sibling(name)
}

// temporaryStem is what the names of p's temporaries begin with. It is short,
// since p's own may be as long as a name can be. Bytes that some filesystems have
// in no name are part of it: there making the temporary fails, and not giving the
// complete copy its name.
func (p place) temporaryStem() string {
	base := p.base()
	return temporaryPrefix + strconv.FormatUint(hashOf(base), 36) + unusual(base)
}

// unusual are the first characters of a name that some filesystem refuses.
func unusual(name string) string {
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

// impossible reports why no file can have the name of p, before a copy is made
// for it, where p was not looked at.
func (p place) impossible() error {
	const short = 100 // no filesystem refuses ASCII names for being that long
	base := p.base()
	if !p.fresh() || len(base) <= short && unusual(base) == "" {
		return nil
	}
	err := fstatat(p, new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return nil
	}
	return err
}

// claim finds a name for what is to be called p, and gives it to what create
// makes there. A create that fails with EEXIST is asked again for the next
// name, or for the same if what had it was nobody's.
func claim(p place, create func(place) error) (place, error) {
	for slot := 0; ; {
		q := p.temporary(slot)
		if q.reserved() {
			slot++
			continue
		}
		err := create(q)
		if err != unix.EEXIST || slot == temporarySlots+randomNames {
			return q, err
		}
		if !abandoned(q) {
			slot++
		}
	}
}

// reserve keeps names in a directory from temporaries, as long as no other names
// are reserved: they are those of sources that will be copied into it.
func (d *directory) reserve(names map[string]struct{}) { d.reserved = names }

// mayBeTemporary reports whether a name could be that of a temporary.
func mayBeTemporary(name string) bool { return strings.HasPrefix(name, temporaryPrefix) }

func (p place) reserved() bool {
	if p.dir == nil {
		return false
	}
	_, reserved := p.dir.reserved[p.name]
	return reserved
}

// leftBehind are the names in the directory of p that temporaries of p may have,
// but for new ones of other processes. In a directory that this run has made
// there are none.
func (p place) leftBehind() (all []place) {
	if p.fresh() {
		return nil
	}
	if p.dir != nil && !strings.Contains(p.name, "/") {
		if names, listed := p.dir.temporaries.list(p.dir); listed {
			stem := p.temporaryStem()
			for _, name := range names {
				if rest, ok := strings.CutPrefix(name, stem); ok && (rest == "" || rest[0] == '-') {
					all = append(all, p.sibling(name))
				}
			}
			return all
		}
	}
	for slot := range temporarySlots {
		if q := p.temporary(slot); exists(q) {
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
func (l *temporaryList) list(d *directory) (names []string, listed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked < 0 || l.asked > listFrom {
		return l.names, l.asked > 0
	}
	if l.asked++; l.asked <= listFrom {
		return nil, false
	}
	fd, err := openat(place{d, "."}, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		l.asked = -1
		return nil, false
	}
	defer unix.Close(fd)
	found, err := readNames(fd, make([]byte, direntBuffer))
	if err != nil {
		l.asked = -1
		return nil, false
	}
	for _, entry := range found.entries {
		if name := found.name(entry); strings.HasPrefix(name, temporaryPrefix) {
			l.names = append(l.names, strings.Clone(name))
		}
	}
	return l.names, true
}

// sweep removes what killed runs have left beside p: files with one name, which
// nobody holds.
func sweep(p place) {
	for _, q := range p.leftBehind() {
		var st unix.Stat_t
		if fstatat(q, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && isKind(&st, unix.S_IFREG) && st.Nlink == 1 {
			abandoned(q)
		}
	}
}

// abandoned removes a temporary that nobody holds, and reports whether it did.
// It takes no file that another user has made, none that this run has copied, and
// no directory.
func abandoned(q place) bool {
	if q.reserved() {
		return false
	}
	var found unix.Stat_t
	if fstatat(q, &found, unix.AT_SYMLINK_NOFOLLOW) == nil && (!isKind(&found, unix.S_IFREG) || found.Nlink > 1) {
		return owned(&found) && unlinkat(q, 0) == nil
	}
	fd, st, ours := openTemporary(q, unix.O_RDONLY)
	if !ours {
		return false
	}
	defer unix.Close(fd)
	return lock(fd) == nil && named(q, st) && unlinkat(q, 0) == nil
}

// openTemporary opens what has a temporary's name, if it is ours by what it is:
// a regular file of this user's, with one name. Those of root have belonged to
// root until they got their owner.
func openTemporary(q place, flags int) (fd int, st *unix.Stat_t, ours bool) {
	const never = unix.O_NOFOLLOW | unix.O_NONBLOCK // to follow a link, or to wait for a writer
	fd, err := openat(q, flags|never, 0)
	if err == unix.EACCES && flags == unix.O_RDONLY {
		fd, err = openat(q, unix.O_WRONLY|never, 0)
	}
	if err != nil {
		return -1, nil, false
	}
	st = new(unix.Stat_t)
	if fstat(fd, st) == nil && isKind(st, unix.S_IFREG) && st.Nlink == 1 && owned(st) {
		return fd, st, true
	}
	unix.Close(fd)
	return -1, nil, false
}

func owned(st *unix.Stat_t) bool {
	user := unix.Geteuid()
	return user == 0 || int(st.Uid) == user
}

// lock takes the lock of a file. EWOULDBLOCK says that somebody else has it;
// any other error is a filesystem without locks.
func lock(fd int) error {
	return again(func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
}

// named reports whether a file is what has a name.
func named(p place, file *unix.Stat_t) bool {
	var st unix.Stat_t
	return fstatat(p, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && idOf(&st) == idOf(file)
}
