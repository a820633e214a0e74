package filecopy

import (
	"sync"

	"golang.org/x/sys/unix"
)

// An identity tells a file from all others, also from a later one that has got
// its inode number.
type identity struct {
	fileID
	born int64 // in nanoseconds since 1970, statx(2); 0 where the filesystem does not say
}

// maybe reports whether two identities are one, or could be, since a time of
// birth is not known.
func (a identity) maybe(b identity) bool {
	return a.fileID == b.fileID && (a.born == b.born || a.born == 0 || b.born == 0)
}

// identify looks at the file that has a name.
func identify(p place) (identity, error) { return statx(p.fd(), p.name, unix.AT_SYMLINK_NOFOLLOW) }

// identifyOpen looks at an open file.
func identifyOpen(fd int) (identity, error) { return statx(fd, "", unix.AT_EMPTY_PATH) }

// statx asks for an identity, and has a server or a FUSE process asked for all
// that stat(2) says next: what they told a second ago may be out of date. Where the kernel or a sandbox has no statx(2), the
// time of birth is unknown.
func statx(fd int, name string, flags int) (identity, error) {
	var stx unix.Statx_t
	err := again(func() error {
		return unix.Statx(fd, name, flags|unix.AT_STATX_FORCE_SYNC, unix.STATX_INO|unix.STATX_BTIME, &stx)
	})
	switch err {
	case nil:
		id := identity{fileID: fileID{unix.Mkdev(stx.Dev_major, stx.Dev_minor), stx.Ino}}
		if stx.Mask&unix.STATX_BTIME != 0 {
			id.born = stx.Btime.Sec*1e9 + int64(stx.Btime.Nsec)
		}
		return id, nil
	case unix.ENOSYS, unix.EPERM:
		var st unix.Stat_t
		if name == "" {
			err = fstat(fd, &st)
		} else {
			err = again(func() error { return unix.Fstatat(fd, name, &st, flags) })
		}
		return identity{fileID: idOf(&st)}, err
	}
	return identity{}, err
}

// identities is a set of files, for any goroutine. A file takes 16 bytes, and a
// table is between three eighths and three quarters full.
type identities struct {
	mu      sync.Mutex
	devices map[uint64]*inodes
}

func (s *identities) add(id identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on := s.devices[id.dev]
	if on == nil {
		if s.devices == nil {
			s.devices = map[uint64]*inodes{}
		}
		on = &inodes{}
		s.devices[id.dev] = on
	}
	on.add(inode{id.ino + 1, id.born})
}

// born returns when a file with that number was born, if one is in the set.
func (s *identities) born(id fileID) (born int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on := s.devices[id.dev]
	if on == nil || on.used == 0 {
		return 0, false
	}
	slot := on.slot(id.ino + 1)
	return slot.born, slot.number != 0
}

// has reports whether a file is in the set, or could be.
func (s *identities) has(id identity) bool {
	born, known := s.born(id.fileID)
	return known && id.maybe(identity{id.fileID, born})
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
