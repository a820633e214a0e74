package place

import (
	"sync"

	"golang.org/x/sys/unix"
)

// An Identity tells a file from all others, also from a later one that has got
// its inode number.
type Identity struct {
	FileID
	Born int64 // in nanoseconds since 1970, statx(2); 0 where the filesystem does not say
}

// Maybe reports whether two identities are one, or could be, since a time of
// birth is not known.
func (a Identity) Maybe(b Identity) bool {
	return a.FileID == b.FileID && (a.Born == b.Born || a.Born == 0 || b.Born == 0)
}

// Identify looks at the file that has a name.
func Identify(p Place) (Identity, error) { return Statx(p.FD(), p.Name, unix.AT_SYMLINK_NOFOLLOW) }

// IdentifyOpen looks at an open file.
func IdentifyOpen(fd int) (Identity, error) { return Statx(fd, "", unix.AT_EMPTY_PATH) }

// Statx asks for an identity, and has a server or a FUSE process asked for all
// that stat(2) says next: what they told a second ago may be out of date. Where
// the kernel or a sandbox has no statx(2), the time of birth is unknown.
func Statx(fd int, name string, flags int) (Identity, error) {
	var stx unix.Statx_t
	err := Retry(func() error {
		return unix.Statx(fd, name, flags|unix.AT_STATX_FORCE_SYNC, unix.STATX_INO|unix.STATX_BTIME, &stx)
	})
	switch err {
	case nil:
		id := Identity{FileID: FileID{unix.Mkdev(stx.Dev_major, stx.Dev_minor), stx.Ino}}
		if stx.Mask&unix.STATX_BTIME != 0 {
			id.Born = stx.Btime.Sec*1e9 + int64(stx.Btime.Nsec)
		}
		return id, nil
	case unix.ENOSYS, unix.EPERM:
		var st unix.Stat_t
		if name == "" {
			err = Fstat(fd, &st)
		} else {
			err = Retry(func() error { return unix.Fstatat(fd, name, &st, flags) })
		}
		return Identity{FileID: IDOf(&st)}, err
	}
	return Identity{}, err
}

// Identities is a set of files, for any goroutine. A file takes 16 bytes, and a
// table is between three eighths and three quarters full.
type Identities struct {
	mu      sync.Mutex
	devices map[uint64]*inodes
}

// Add takes a file into the set, in the place of an earlier one with its number.
func (s *Identities) Add(id Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on := s.devices[id.Dev]
	if on == nil {
		if s.devices == nil {
			s.devices = map[uint64]*inodes{}
		}
		on = &inodes{}
		s.devices[id.Dev] = on
	}
	on.add(inode{id.ino + 1, id.Born})
}

// Born returns when a file with that number was born, if one is in the set.
func (s *Identities) Born(id FileID) (born int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on := s.devices[id.Dev]
	if on == nil || on.used == 0 {
		return 0, false
	}
	slot := on.slot(id.ino + 1)
	return slot.born, slot.number != 0
}

// Has reports whether a file is in the set, or could be.
func (s *Identities) Has(id Identity) bool {
	born, known := s.Born(id.FileID)
	return known && id.Maybe(Identity{id.FileID, born})
}

// inodes is a hash table with open addressing.
type inodes struct {
	slots []inode // a power of two
	used  int
}

// An inode is one file of a device.
type inode struct {
	number uint64 // one more than the inode number; 0 in an empty slot
	born   int64
}

// leastSlots is the size of the first table.
const leastSlots = 64

func (t *inodes) add(n inode) {
	if t.used >= len(t.slots)/4*3 {
		old := t.slots
		t.slots, t.used = make([]inode, max(leastSlots, 2*len(old))), 0
		for _, n := range old {
			if n.number != 0 {
				t.add(n)
			}
		}
	}
	slot := t.slot(n.number)
	if slot.number == 0 {
		t.used++
	}
	*slot = n
}

// slot is where a number is, or would be. Fibonacci hashing spreads the numbers
// of a directory's files, which mostly follow each other.
func (t *inodes) slot(number uint64) *inode {
	const golden = 0x9e3779b97f4a7c15
	mask := uint64(len(t.slots) - 1)
	at := number * golden >> 32
	for ; ; at++ {
		if slot := &t.slots[at&mask]; slot.number == 0 || slot.number == number {
			return slot
		}
	}
}
