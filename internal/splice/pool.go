package splice

import (
	"sync"

	"golang.org/x/sys/unix"
)

// A Pool shares private pipes between many Copiers that run at the same time. A copy has
// a pipe while it moves bytes, and none while it waits for its source. So a thousand
// connections need few descriptors and little of the user's pipe memory (64 MiB,
// fs.pipe-user-pages-soft; above it the pipes of the user's other programs shrink, too).
type Pool struct {
	size, most int

	mu     sync.Mutex
	kernel *kernel // that made them
	idle   []pipe
	made   int
}

// NewPool returns a Pool of at most most pipes, of size bytes if the kernel allows. A
// copy that finds none free continues with read and write.
func NewPool(size, most int) *Pool { return &Pool{size: size, most: most} }

// get gives p the descriptors of an empty pipe. The error is ENFILE
// if there is none left, else newPipe's.
func (l *Pool) get(s *system, p *pipe) error {
	l.mu.Lock()
	if last := len(l.idle) - 1; last >= 0 {
		*p = l.idle[last]
		l.idle = l.idle[:last]
		l.mu.Unlock()
		return nil
	}
	if l.made == l.most {
		l.mu.Unlock()
		return unix.ENFILE
	}
	l.made++
	l.kernel = s.kernel
	l.mu.Unlock()
	made, err := newPipe(s, l.size)
	if err != nil {
		l.mu.Lock()
		l.made--
		l.mu.Unlock()
		return err
	}
	*p = *made
	return nil
}

// put takes the pipe back and leaves p without descriptors. A pipe that is not empty is closed:
// its bytes belong nowhere else.
func (l *Pool) put(s *system, p *pipe) {
	if p.r < 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.held > 0 {
		p.close(s)
		l.made--
	} else {
		l.idle = append(l.idle, *p)
	}
	*p = pipe{r: -1, w: -1}
}

// Close closes the free pipes.
func (l *Pool) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.idle {
		p.close(&system{kernel: l.kernel})
	}
	l.made -= len(l.idle)
	l.idle = nil
}
