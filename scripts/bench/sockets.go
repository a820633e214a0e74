package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// What a tool connects to, where the table says tcp or unix: the helper at that
// end accepts a single connection. $in and $out in a command are the addresses.

// isSocket reports whether a column of the table is a kind of socket.
func isSocket(kind string) bool { return kind == "tcp" || kind == "unix" }

// listen returns a listening socket for a helper, and its address as the tools
// have it: HOST:PORT, or a name in the abstract namespace.
func (r *rig) listen(kind, end string) (f *os.File, address string) {
	family, sa := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if kind == "unix" {
		address = fmt.Sprintf("zeroutils-bench-%d-%s", os.Getpid(), end)
		family, sa = unix.AF_UNIX, &unix.SockaddrUnix{Name: "@" + address}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		f = os.NewFile(uintptr(fd), "listener")
		r.ends = append(r.ends, f)
		err = cmp.Or(unix.Bind(fd, sa), unix.Listen(fd, 1))
	}
	if err == nil && kind == "tcp" {
		if sa, err = unix.Getsockname(fd); err == nil {
			address = fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port)
		}
	}
	r.err = cmp.Or(r.err, err)
	return f, address
}

// withAddresses puts the addresses into a command, and starts the helpers.
func (r *rig) withAddresses(argv []string) []string {
	var source string
	if isSocket(r.lane.stdin) {
		var in *os.File
		in, source = r.listen(r.lane.stdin, "in")
		r.help("produce", r.lane.stdin, r.lane.null, in)
	}
	out, sink := r.listen(r.lane.stdout, "out")
	r.help("consume", r.lane.stdout, out, r.lane.null)
	var list []string
	for _, arg := range argv {
		list = append(list, strings.NewReplacer("$in", source, "$out", sink).Replace(arg))
	}
	return list
}

// accept puts the one connection of a listening socket in its place.
func accept(fd int) error {
	conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("accept", err)
	}
	return os.NewSyscallError("dup3", unix.Dup3(conn, fd, 0))
}

// isListener reports whether a descriptor is a socket that accepts.
func isListener(fd int) bool {
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && listens == 1
}
