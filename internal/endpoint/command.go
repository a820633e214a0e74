package endpoint

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/proc"
	"zeroutils/internal/splice"
)

// commands are those that an Opener has started and that nobody has waited for.
type commands struct {
	mu      sync.Mutex
	running map[*proc.Process]struct{}
	over    bool // no other is started
}

// start runs a program. The error is that of proc.Start, or ECANCELED after
// EndCommands.
func (c *commands) start(command proc.Command) (*proc.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil, unix.ECANCELED
	}
	started, err := proc.Start(command)
	if err != nil {
		return nil, err
	}
	if c.running == nil {
		c.running = map[*proc.Process]struct{}{}
	}
	c.running[started] = struct{}{}
	return started, nil
}

func (c *commands) forget(ended *proc.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, ended)
}

// EndCommands ends all commands that run, with what they have started: SIGTERM,
// and SIGKILL after grace. It returns when they have ended. From then on Open
// starts no other: its error is ECANCELED.
func (o *Opener) EndCommands(grace time.Duration) {
	o.commands.mu.Lock()
	o.commands.over = true
	var ending sync.WaitGroup
	for p := range o.commands.running {
		if o.Detached {
			ending.Go(func() { p.End(grace) })
		}
	}
	o.commands.mu.Unlock()
	if !o.Detached {
		proc.EndAll(grace)
	}
	ending.Wait()
}

// start runs a command with a pipe for each side that is used; the other side
// is the process's own. The error is that of finding or executing it.
func (o *Opener) start(e Endpoint, use Use, env []string) (*Stream, error) {
	theirs, ours := [2]int{0, 1}, [2]int{-1, -1} // its standard input and output, and our ends
	var err error
	if o.Detached && use&AsSink == 0 {
		if theirs[0], err = open(os.DevNull, unix.O_RDONLY); err != nil {
			return nil, err
		}
	}
	for i, use1 := range []Use{AsSink, AsSource} {
		if use&use1 == 0 {
			continue
		}
		if theirs[i], ours[i], err = pipeFor(i); err != nil {
			closePipes(theirs, ours)
			return nil, err
		}
	}
	s := &Stream{Endpoint: e, opener: o, owned: true}
	s.process, err = o.commands.start(proc.Command{
		Argv:    e.argv,
		Files:   [3]int{theirs[0], theirs[1], 2},
		Env:     env,
		Session: o.Detached,
	})
	if err != nil {
		closePipes(theirs, ours)
		return nil, err
	}
	closePipes(theirs, [2]int{-1, -1})
	for i, d := range []**splice.Descriptor{&s.Out, &s.In} {
		if ours[i] >= 0 {
			if *d, err = o.describe(ours[i]); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// pipeFor makes a pipe to descriptor 0 or from descriptor 1 of a command. Our
// end is nonblocking.
func pipeFor(standard int) (theirs, ours int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return standard, -1, err
	}
	theirs, ours = fds[standard], fds[1-standard]
	return theirs, ours, unix.SetNonblock(ours, true)
}

func closePipes(theirs, ours [2]int) {
	for _, fd := range append(theirs[:], ours[:]...) {
		if fd > 2 {
			unix.Close(fd)
		}
	}
}

// Wait waits until the command of a stream has ended, and returns its status as
// a shell has it. It is 0 for a stream without a command. Further calls return
// the same.
func (s *Stream) Wait() int {
	status, _ := s.WaitFor(-1)
	return status
}

// WaitFor is Wait for a limited time; below zero it is not limited. ended is
// false if the command runs on.
func (s *Stream) WaitFor(limit time.Duration) (status int, ended bool) {
	if s.process == nil || s.waited {
		return s.status, true
	}
	if !s.awaitEnd(limit) {
		return 0, false
	}
	if fd := s.process.PidFD(); fd >= 0 && s.opener.Closing != nil {
		s.opener.Closing(fd)
	}
	s.status = proc.Status(s.process.Wait())
	s.opener.commands.forget(s.process)
	s.waited = true
	return s.status, true
}

// awaitEnd waits until the command has ended, and reports whether it has.
func (s *Stream) awaitEnd(limit time.Duration) bool {
	if fd := s.process.PidFD(); fd >= 0 {
		n, err := s.opener.poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, limit)
		return n > 0 || err != nil && limit < 0 // else Wait waits
	}
	if limit < 0 {
		return true // Wait waits
	}
	for end := time.Now().Add(limit); !s.process.Ended(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// End ends the command of a stream, and what it has started: SIGTERM, and
// SIGKILL after grace. It may be called while another goroutine waits for it.
// Commands that lead no session are all ended together.
func (s *Stream) End(grace time.Duration) {
	switch {
	case s.process == nil:
	case s.opener.Detached:
		s.process.End(grace)
	default:
		proc.EndAll(grace)
	}
}

// Remote returns the variables by which a command is told who has connected:
// numbers and addresses only, which no name server has made up. REMOTE_ADDR and
// REMOTE_PORT are those of a TCP peer, REMOTE_UID is the user of a unix socket's.
func (s *Stream) Remote() []string {
	switch {
	case s == nil || s.Peer == "":
		return nil
	case s.Kind == UnixListen:
		return []string{"REMOTE_UID=" + strconv.Itoa(int(s.peerUID))}
	}
	a, err := netip.ParseAddrPort(s.Peer)
	if err != nil {
		return nil
	}
	return []string{"REMOTE_ADDR=" + a.Addr().String(), "REMOTE_PORT=" + strconv.Itoa(int(a.Port()))}
}

// environment is that of a command for a client; nil is the process's own. No
// variable of the process says who a client is.
func (s *Stream) environment() []string {
	remote := s.Remote()
	if remote == nil {
		return nil
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "REMOTE_ADDR" || name == "REMOTE_PORT" || name == "REMOTE_UID"
	})
	return append(env, remote...)
}
