package filecopy

import (
	"hash/fnv"
	"strconv"

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

const (
	temporaryPrefix = ".zcp-"
	// temporarySlots is how many zcp may write beside one destination at a
	// time.
	temporarySlots = 100
)

// temporary is one of the names for what is to be called p. It is short, since
// p's own may be as long as a name can be.
func (p place) temporary(slot int) place {
	name := temporaryPrefix + strconv.FormatUint(hashOf(p.base()), 36)
	if slot > 0 {
		name += "-" + strconv.Itoa(slot)
	}
	return p.sibling(name)
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s)) // it never fails
	return h.Sum64()
}

// claim finds a name for what is to be called p, and gives it to what create
// makes there. A create that fails with EEXIST is asked again for the next
// name, or for the same if what had it was nobody's.
func claim(p place, create func(place) error) (place, error) {
	for slot := 0; ; {
		q := p.temporary(slot)
		err := create(q)
		if err != unix.EEXIST || slot == temporarySlots {
			return q, err
		}
		if !abandoned(q) {
			slot++
		}
	}
}

// sweep removes what killed runs have left beside p.
func sweep(p place) {
	for slot := 0; slot < temporarySlots; slot++ {
		var st unix.Stat_t
		q := p.temporary(slot)
		if fstatat(q, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
			return
		}
		abandoned(q)
	}
}

// abandoned removes a temporary that nobody holds, and reports whether it did.
// It takes no file that another user has made, and no directory.
func abandoned(q place) bool {
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
