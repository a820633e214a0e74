package endpoint

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// access is who may connect to a unix socket, by the credentials of the process
// that did (SO_PEERCRED). An empty access allows everybody whom the mode of the
// socket's file allows.
type access struct{ users, groups []uint32 }

// read takes the users and groups that an endpoint names, by number or name.
func (a *access) read(e Endpoint) error {
	for _, name := range e.options.uids {
		id, err := idOf("passwd", name)
		if err != nil {
			return err
		}
		a.users = append(a.users, id)
	}
	for _, name := range e.options.gids {
		id, err := idOf("group", name)
		if err != nil {
			return err
		}
		a.groups = append(a.groups, id)
	}
	return nil
}

// allows reports whether the process that has connected is of one of the users
// or in one of the groups.
func (a *access) allows(fd int, cred *unix.Ucred) bool {
	if len(a.users) == 0 && len(a.groups) == 0 {
		return true
	}
	if slices.Contains(a.users, cred.Uid) || slices.Contains(a.groups, cred.Gid) {
		return true
	}
	return len(a.groups) > 0 && slices.ContainsFunc(groupsOf(fd), func(g uint32) bool { return slices.Contains(a.groups, g) })
}

// groupsOf returns the supplementary groups of the process at the other end of a
// unix socket (SO_PEERGROUPS of Linux 4.13); none where the kernel does not tell.
func groupsOf(fd int) []uint32 {
	groups := make([]uint32, 65536) // NGROUPS_MAX
	size := uint32(len(groups) * 4)
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
		uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return nil
	}
	return groups[:size/4]
}

// idOf finds the number of a user or group.
func idOf(database, name string) (uint32, error) {
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return uint32(n), nil
	}
	if line := databaseLine(database, name); line != "" {
		if fields := strings.Split(line, ":"); len(fields) > 2 {
			if n, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
				return uint32(n), nil
			}
		}
	}
	what := "user"
	if database == "group" {
		what = "group"
	}
	return 0, &NameError{name + " is no known " + what}
}

// databaseLine is the line of a name in passwd(5) or group(5); "" if there is
// none. Without getent(1) only the file is read.
func databaseLine(database, name string) string {
	if out, err := getent(database, name, noLimit); err == nil {
		return strings.TrimSpace(string(out))
	}
	text, _ := os.ReadFile("/etc/" + database) // a missing file has no such line
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, name+":") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// dress gives the file of a socket the mode and the owner that the endpoint
// names. Nobody can connect yet. The file is held on to while it is changed, so
// that no other is, whatever stands at its path by then.
func (l *Listener) dress(path string) error {
	e := l.endpoint
	if e.options.mode == 0 && e.options.user == "" && e.options.group == "" {
		return nil
	}
	fd, err := open(path, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	if info, err := file.Stat(); err != nil || !os.SameFile(info, l.file) {
		return unix.EADDRINUSE // another process has put its own there
	}
	uid, gid := -1, -1 // unchanged
	if e.options.user != "" {
		id, err := idOf("passwd", e.options.user)
		if err != nil {
			return err
		}
		uid = int(id)
	}
	if e.options.group != "" {
		id, err := idOf("group", e.options.group)
		if err != nil {
			return err
		}
		gid = int(id)
	}
	if err := unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH); err != nil {
		return err
	}
	if e.options.mode == 0 {
		return nil
	}
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), e.options.mode)
}
