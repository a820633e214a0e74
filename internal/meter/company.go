package meter

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A company is the displays of one process group on one terminal: those of the
// programs in a pipeline. They know of each other by locks on the terminal's
// inode (fcntl(2), open file description locks, since Linux 3.15), which need no
// file of their own and go when a process goes, however that ends.
//
// Of each group's range of offsets the first is locked while a display draws,
// and one of the others by each display that has a row, for as long as it has.
// Who comes later takes a later one, so that these are in the order of the rows.
type company struct {
	fd    int   // the terminal, opened again: a lock is the open file description's
	first int64 // of the group's offsets
	seat  int64 // the offset of the own row, 0 if there is none
}

// seats is how many offsets a group has.
const seats = 1 << 20

// newCompany returns nil if the terminal cannot be opened again or locked.
func newCompany(fd int) *company {
	again, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	c := &company{fd: again, first: int64(unix.Getpgrp()) * seats}
	if !c.lock() {
		unix.Close(again)
		return nil
	}
	c.unlock()
	return c
}

// lock waits until no other display of the group draws. One that was stopped in
// the middle of it is not waited for: false.
func (c *company) lock() bool {
	const tries, pause = 50, 2 * time.Millisecond
	for range tries {
		if err := c.set(unix.F_WRLCK, c.first); err != unix.EAGAIN && err != unix.EACCES {
			return err == nil
		}
		time.Sleep(pause)
	}
	return false
}

func (c *company) unlock() { _ = c.set(unix.F_UNLCK, c.first) } // nothing can go wrong that did not when it was locked

// join takes a seat behind all others, and returns how many have one.
func (c *company) join() (others int) {
	others, last := c.count(c.first+1, c.first+seats-1)
	c.seat = max(c.first, last) + 1
	if c.set(unix.F_WRLCK, c.seat) != nil {
		c.seat = 0
	}
	return others
}

func (c *company) leave() {
	if c.seat != 0 {
		_ = c.set(unix.F_UNLCK, c.seat) // like unlock
		c.seat = 0
	}
}

// above and below count the others whose rows stand there.
func (c *company) above() int {
	n, _ := c.count(c.first+1, c.seat-1)
	return n
}

func (c *company) below() int {
	n, _ := c.count(c.seat+1, c.first+seats-1)
	return n
}

// count counts the seats that others have within a range, and returns the last
// of them.
func (c *company) count(from, to int64) (n int, last int64) {
	if from > to {
		return 0, 0
	}
	l := unix.Flock_t{Type: unix.F_WRLCK, Start: from, Len: to - from + 1}
	if err := unix.FcntlFlock(uintptr(c.fd), unix.F_OFD_GETLK, &l); err != nil || l.Type == unix.F_UNLCK {
		return 0, 0
	}
	before, _ := c.count(from, l.Start-1)
	behind, last := c.count(l.Start+l.Len, to)
	return before + 1 + behind, max(l.Start, last)
}

func (c *company) set(kind int16, at int64) error {
	return unix.FcntlFlock(uintptr(c.fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: at, Len: 1})
}
