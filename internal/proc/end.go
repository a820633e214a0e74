package proc

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// End ends a command that leads a session, and every process of the session:
// SIGTERM, and SIGKILL for what still runs after grace. It returns when nothing
// of the session runs, or after SIGKILL. Wait has to be called after it, not
// before: the zombie keeps the session's number from being used again.
func (p *Process) End(grace time.Duration) {
	end(p, grace)
}

// EndAll ends in the same way the commands that lead no session, and what they
// have started. Orphans are found only after [Adopt].
func EndAll(grace time.Duration) {
	end(family{}, grace)
}

// SignalAll sends a signal to every command that leads no session, and to what
// they have started, as far as that is in the session of this process.
func SignalAll(sig syscall.Signal) { family{}.signal(sig) }

// A kin is a set of processes that are ended together.
type kin interface {
	signal(sig syscall.Signal)
	runs() bool
}

// The pauses between two looks at what still runs.
const (
	firstPause = time.Millisecond
	lastPause  = 100 * time.Millisecond
)

func end(k kin, grace time.Duration) {
	k.signal(unix.SIGTERM)
	limit := time.Now().Add(grace)
	for pause := firstPause; k.runs(); pause = min(2*pause, lastPause) {
		left := time.Until(limit)
		if left <= 0 {
			k.signal(unix.SIGKILL)
			return
		}
		time.Sleep(min(pause, left))
	}
}

// signal sends a signal to the session of p. The group of p gets it from the
// kernel at once; groups that an interactive shell has made are looked for.
func (p *Process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return
	}
	_ = unix.Kill(-p.pid, sig) // ESRCH and EPERM: nothing of it can be signalled
	all, _ := processes()
	for _, other := range all {
		if other.session == p.pid && other.group != p.pid {
			other.signal(sig)
		}
	}
}

// runs reports whether a process of the session has not ended. Without /proc it
// is the leader that counts.
func (p *Process) runs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return false
	}
	if !p.isZombie() {
		return true
	}
	all, _ := processes()
	for _, other := range all {
		if other.session == p.pid && !other.dead() {
			return true
		}
	}
	return false
}

// Ended reports whether the process has ended.
func (p *Process) Ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reaped || p.isZombie()
}

// isZombie reports whether the process has ended and nobody has reaped it.
func (p *Process) isZombie() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, p.pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err == nil && info.Signo != 0
}

// A family is every process below this one that is in its session.
type family struct{}

func (family) signal(sig syscall.Signal) {
	members, err := descendants()
	if err != nil { // without /proc only the commands themselves are known
		children.Lock()
		defer children.Unlock()
		for _, p := range children.running {
			if !p.session {
				p.Signal(sig)
			}
		}
		return
	}
	for _, member := range members {
		member.signal(sig)
	}
}

func (family) runs() bool {
	members, err := descendants()
	if err != nil {
		children.Lock()
		defer children.Unlock()
		for _, p := range children.running {
			if !p.session && !p.isZombie() {
				return true
			}
		}
		return false
	}
	for _, member := range members {
		if !member.dead() {
			return true
		}
	}
	return false
}
