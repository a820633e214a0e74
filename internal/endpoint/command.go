package endpoint

import (
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// A child is the process of a command.
type child struct {
	pid   int
	pidfd int // -1 where the kernel has none (before Linux 5.4)

	mu     sync.Mutex // guards reaped
	reaped bool
}

// commands are those that an Opener has started and that nobody has waited for.
type commands struct {
	mu      sync.Mutex
	running map[*child]struct{}
	over    bool // no other is started
}

// start runs a program. The error is that of fork(2) or execve(2), or ECANCELED
// after TerminateCommands.
func (c *commands) start(path string, argv []string, attr *syscall.ProcAttr) (*child, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil, unix.ECANCELED
	}
	started := &child{pidfd: -1}
	attr.Sys = &syscall.SysProcAttr{PidFD: &started.pidfd}
	var err error
	if started.pid, err = syscall.ForkExec(path, argv, attr); err != nil {
		return nil, err
	}
	if c.running == nil {
		c.running = map[*child]struct{}{}
	}
	c.running[started] = struct{}{}
	return started, nil
}

func (c *commands) forget(ended *child) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, ended)
}

// TerminateCommands asks all commands to end that run, and has Open start no
// other: its error is ECANCELED then.
func (o *Opener) TerminateCommands() {
	o.commands.mu.Lock()
	defer o.commands.mu.Unlock()
	o.commands.over = true
	for c := range o.commands.running {
		c.terminate()
	}
}

// start runs a command with a pipe for each side that is used; the other side
// is the process's own. The error is that of finding or executing it.
func (o *Opener) start(e Endpoint, use Use) (*Stream, error) {
	path, err := LookUp(e.argv[0])
	if err != nil {
		return nil, err
	}
	theirs, ours := [2]int{0, 1}, [2]int{-1, -1} // its standard input and output, and our ends
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
	s.child, err = o.commands.start(path, e.argv, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{uintptr(theirs[0]), uintptr(theirs[1]), 2},
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

// LookUp finds a command as a shell does. The error is EACCES if there are only
// files that may not be executed, else ENOENT.
func LookUp(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil // execve(2) says what is wrong with it
	}
	path, ok := os.LookupEnv("PATH")
	if !ok {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	found := error(unix.ENOENT)
	for dir := range strings.SplitSeq(path, ":") {
		file := "./" + name
		if dir != "" {
			file = dir + "/" + name
		}
		var st unix.Stat_t
		if name == "" || unix.Stat(file, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
			continue
		}
		if unix.Access(file, unix.X_OK) == nil {
			return file, nil
		}
		found = unix.EACCES
	}
	return "", found
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

// Wait waits until the command of a stream has ended, and returns its status
// as a shell has it: 128 and the number of the signal that it died of. It is 0
// for a stream without a command. It may be called once.
func (s *Stream) Wait() int {
	if s.child == nil {
		return 0
	}
	if fd := s.child.pidfd; fd >= 0 {
		_, _ = s.opener.poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1) // waitid waits as well
		_ = s.opener.close(fd)
	}
	for unix.Waitid(unix.P_PID, s.child.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	status := s.child.reap()
	s.opener.commands.forget(s.child)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// reap takes the status of a process that has ended. From here on its number may
// be that of another.
func (c *child) reap() (status unix.WaitStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if _, err := unix.Wait4(c.pid, &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	c.reaped = true
	return status
}

// Terminate asks the command of a stream to end, if there is one that runs. It
// may be called while another goroutine has the stream.
func (s *Stream) Terminate() {
	if s.child != nil {
		s.child.terminate()
	}
}

func (c *child) terminate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		_ = unix.Kill(c.pid, unix.SIGTERM)
	}
}
