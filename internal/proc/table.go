package proc

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// An entry is what proc_pid_stat(5) says of a process.
type entry struct {
	pid, parent, group, session int
	state                       byte
}

// dead reports whether the process has ended: a zombie, or being removed.
func (e entry) dead() bool { return e.state == 'Z' || e.state == 'X' }

// processes lists all processes. The error is that of reading /proc.
func processes() (all []entry, err error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if e, ok := look(pid); ok {
				all = append(all, e)
			}
		}
	}
	if len(all) == 0 && err == nil {
		err = unix.ENOENT // an empty directory, not procfs
	}
	return all, err
}

// look reads the entry of one process; ok is false if there is none.
func look(pid int) (e entry, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return e, false
	}
	rest := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the name before may have blanks
	if len(rest) < 4 {
		return e, false
	}
	e.pid, e.state = pid, rest[0][0]
	for i, number := range []*int{&e.parent, &e.group, &e.session} {
		if *number, err = strconv.Atoi(string(rest[i+1])); err != nil {
			return e, false
		}
	}
	return e, true
}

// descendants lists the commands that lead no session, and every process below
// them or orphaned by them that is in the session of this process.
func descendants() (found []entry, err error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	us, session := os.Getpid(), 0
	below := map[int][]entry{}
	for _, e := range all {
		if e.pid == us {
			session = e.session
		} else if e.parent != us || isOurs(e.pid) {
			below[e.parent] = append(below[e.parent], e)
		}
	}
	for next := []int{us}; len(next) > 0; {
		parent := next[0]
		next = next[1:]
		for _, e := range below[parent] {
			next = append(next, e.pid)
			if e.session == session {
				found = append(found, e)
			}
		}
	}
	return found, nil
}

// signal sends a signal to a process that was seen in the table. The number may
// be another's since: a pidfd holds on to whoever has it while that is looked at.
func (e entry) signal(sig syscall.Signal) {
	fd, err := unix.PidfdOpen(e.pid, 0)
	if err != nil && err != unix.ENOSYS {
		return // it has ended
	}
	if now, ok := look(e.pid); !ok || now.session != e.session {
		sig = 0
	}
	if err == unix.ENOSYS { // before Linux 5.3
		_ = unix.Kill(e.pid, sig)
		return
	}
	_ = unix.PidfdSendSignal(fd, sig, nil, 0)
	unix.Close(fd)
}
