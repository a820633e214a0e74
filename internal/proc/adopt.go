package proc

import (
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// Adopt makes this process the parent of every process below it whose own parent
// ends (PR_SET_CHILD_SUBREAPER), and reaps these when they end. It is for a
// program that starts no process but by Start, since it reaps whatever ends.
//
// A shell that executes this program in its own place may leave it children
// (`exec`, process substitution). Their orphans cannot be told from those of
// commands; if there are such children, orphans are reaped but not ended.
func Adopt() { adopt() }

var adopt = sync.OnceFunc(func() {
	strangers = unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil) != unix.ECHILD
	if unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != nil {
		return // before Linux 3.4: orphans are init's
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	go func() {
		for range ended {
			reapAll()
		}
	}()
})

// strangers is whether this process had children before it started any.
var strangers bool

// isOurs reports whether a child of this process is a command, or an orphan of
// one.
func isOurs(child int) bool {
	children.Lock()
	defer children.Unlock()
	return !strangers || children.running[child] != nil
}

// reapAll reaps every child that has ended, but no leader of a session, whose
// number End needs: while there is one, only the process group of this process.
func reapAll() {
	children.Lock()
	defer children.Unlock()
	which := -1
	for _, p := range children.running {
		if p.session {
			which = 0
		}
	}
	for {
		var status unix.WaitStatus
		var usage unix.Rusage
		pid, err := unix.Wait4(which, &status, unix.WNOHANG, &usage)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid == 0 {
			return
		}
		if p := children.running[pid]; p != nil {
			p.mu.Lock()
			p.reaped, p.status, p.usage = true, status, usage
			p.mu.Unlock()
			delete(children.running, pid)
		}
	}
}
