package atexec

import "golang.org/x/sys/unix"

// Closed reports whether one of the descriptors 0 to 2 was closed when the
// process was executed. What is open there now is the runtime's /dev/null.
//
// Without a record it is a guess, and wrong for a parent that opens /dev/null
// for both reading and writing, as Python's subprocess.DEVNULL does.
func Closed(fd int) bool {
	if recorded {
		return closed>>fd&1 != 0
	}
	return isRuntimesNull(fd)
}

// isRuntimesNull reports whether fd is what the runtime opens on a closed
// descriptor: /dev/null, the character device 1:3, for reading and writing. A
// shell opens it for one of them.
func isRuntimesNull(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || uint64(st.Rdev) != unix.Mkdev(1, 3) {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
