// Package proc starts commands, waits for them and ends them.
//
// A command runs in the process group of its parent, as in a shell's pipeline,
// so that ^C and ^Z reach it and it may read the terminal; or, for a server, it
// leads a session of its own.
//
// # What it promises
//
//   - No process number is signalled that could be another process's: a command
//     that has ended stays a zombie for as long as its session may be signalled.
//   - Ending a command ends what it has started as well. A session is found by
//     its number. Without one, [Adopt] makes this process the parent of every
//     orphan below it, so that [EndAll] finds them.
//   - The exit status is a shell's: 128 and the signal's number for a command
//     that died of one, 127 for one that was not found, 126 for one that could
//     not be executed.
//
// It does not find processes that have made a session of their own: these mean
// to outlive the command, as daemons do.
package proc

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Command is what [Start] executes.
type Command struct {
	Argv    []string
	Files   [3]int   // its standard descriptors; -1 is a closed one
	Env     []string // nil is the environment of this process
	Session bool     // it leads a session of its own
}

// A Process is a command that was started. Its methods may be called by several
// goroutines.
type Process struct {
	pid     int
	pidfd   int // -1 where there is none: before Linux 5.4, and in emulators
	session bool

	mu     sync.Mutex // guards what follows
	reaped bool       // its number may be another process's
	status unix.WaitStatus
	usage  unix.Rusage
}

// children are the commands that nobody has reaped, by their numbers. The lock
// is held from fork to the entry, so that the reaper of [Adopt] knows a command
// however soon it ends.
var children = struct {
	sync.Mutex
	running map[int]*Process
}{running: map[int]*Process{}}

// Start executes a command. The error is that of finding it ([LookUp]), of
// fork(2) or of execve(2); [StartStatus] makes an exit status of it.
func Start(c Command) (*Process, error) {
	path, err := LookUp(c.Argv[0])
	if err != nil {
		return nil, err
	}
	p := &Process{pidfd: -1, session: c.Session}
	attr := &syscall.ProcAttr{Env: c.Env, Sys: &syscall.SysProcAttr{PidFD: &p.pidfd, Setsid: c.Session}}
	if c.Env == nil {
		attr.Env = os.Environ()
	}
	for _, fd := range c.Files {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	children.Lock()
	defer children.Unlock()
	p.pid, err = syscall.ForkExec(path, c.Argv, attr)
	if err == unix.EINVAL { // emulators refuse a clone(2) that returns a descriptor
		attr.Sys.PidFD, p.pidfd = nil, -1
		p.pid, err = syscall.ForkExec(path, c.Argv, attr)
	}
	if err != nil {
		return nil, err
	}
	children.running[p.pid] = p
	return p, nil
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.pid }

// PidFD returns a descriptor that is readable once the process has ended, or -1
// where the kernel has none. Wait closes it.
func (p *Process) PidFD() int { return p.pidfd }

// Wait waits until the process has ended, and returns how. From then on Signal
// does nothing.
func (p *Process) Wait() unix.WaitStatus {
	for !p.over() {
		if unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) != unix.EINTR {
			break // ended, or ECHILD: reaped by another goroutine
		}
	}
	p.reap()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pidfd >= 0 {
		unix.Close(p.pidfd)
		p.pidfd = -1
	}
	return p.status
}

func (p *Process) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reaped
}

// reap takes the status of the process if it has ended.
func (p *Process) reap() {
	children.Lock()
	defer children.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.reaped {
		pid, err := unix.Wait4(p.pid, &p.status, unix.WNOHANG, &p.usage)
		if err == unix.EINTR {
			continue
		}
		if pid == 0 {
			return // it runs
		}
		p.reaped = true
		delete(children.running, p.pid)
	}
}

// Signal sends a signal to the process itself, unless it has been reaped.
func (p *Process) Signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = unix.Kill(p.pid, sig) // ESRCH and EPERM: it has ended, or become another user's
	}
}

// CPUTime returns the CPU time, in user mode and in the kernel, of a process for
// which Wait has returned, and of the children that it had waited for.
func (p *Process) CPUTime() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(p.usage.Utime.Nano() + p.usage.Stime.Nano())
}

// Status returns the exit status that a shell makes of how a process ended.
func Status(how unix.WaitStatus) int {
	if how.Signaled() {
		return 128 + int(how.Signal())
	}
	return how.ExitStatus()
}

// The exit statuses of a command that was not started, as in sh(1) and env(1).
const (
	NotExecutable = 126
	NotFound      = 127
)

// StartStatus returns the exit status that a shell makes of an error of Start.
func StartStatus(err error) int {
	if errors.Is(err, unix.ENOENT) {
		return NotFound
	}
	return NotExecutable
}

// LookUp finds a command in $PATH as a shell does. A name with a slash is
// returned as it is. The error is EACCES if only files were found that may not
// be executed, else ENOENT.
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
