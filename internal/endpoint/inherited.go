package endpoint

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// firstPassed is the first descriptor that a service manager passes
// (SD_LISTEN_FDS_START of sd_listen_fds(3)).
const firstPassed = 3

// ErrNothingPassed is the error of listen-fds: where no service manager has
// passed a socket to this process.
var ErrNothingPassed = &NameError{"no sockets were passed: LISTEN_FDS and LISTEN_PID do not name any for this process"}

// Waits reports whether connections can be accepted from an endpoint: one that
// listens, or an inherited descriptor that is a listening socket.
func (o *Opener) Waits(e Endpoint) bool {
	if e.Kind != Descriptor {
		return e.Listens()
	}
	listening, err := unix.GetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && listening != 0 && (e.fd > 2 || !o.Closed(e.fd))
}

// listenOn takes over an inherited listening socket. No command inherits it.
func (o *Opener) listenOn(e Endpoint, fds ...int) (*Listener, error) {
	l := &Listener{opener: o, endpoint: e, inherited: true}
	for _, fd := range fds {
		listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if err == nil && listening == 0 {
			err = unix.EINVAL
		}
		if err != nil {
			return nil, err
		}
		unix.CloseOnExec(fd)
		l.FDs = append(l.FDs, fd)
	}
	if sa, err := unix.Getsockname(l.FDs[0]); err == nil {
		l.Address = format(sa)
	}
	return l, nil
}

// listenOnPassed takes over the sockets that a service manager has passed: all,
// or those that it calls by the endpoint's name. Variables that are meant for
// another process count for nothing: LISTEN_PID has to be ours.
func (o *Opener) listenOnPassed(e Endpoint) (*Listener, error) {
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || count < 1 || os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, ErrNothingPassed
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	var fds []int
	for i := range count {
		if e.path == "" || i < len(names) && names[i] == e.path {
			fds = append(fds, firstPassed+i)
		}
	}
	if len(fds) == 0 {
		return nil, &NameError{"no socket of that name was passed: LISTEN_FDNAMES"}
	}
	for _, name := range []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		os.Unsetenv(name) // they are not for commands
	}
	return o.listenOn(e, fds...)
}
