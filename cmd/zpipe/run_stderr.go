package main

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
)

// stageLines prints what the stages say on standard error while a display is
// drawn: each line whole, above the display, with the name of its stage. What the
// last stage writes on standard output is printed so as well, without a name, if
// that is the display's terminal. Nil leaves their descriptors alone.
type stageLines struct {
	print func(text string)
	from  []*stageLine
	out   *stageLine    // of from, the output of the last stage; or nil
	over  int           // an eventfd, readable when all stages have ended
	done  chan struct{} // closed when everything has been printed
}

// A stageLine is the line that a stage is saying.
type stageLine struct {
	label string // "" prints the bytes as they are
	r, w  int    // the pipe; -1 is closed
	text  []byte
	since time.Time // when the last of text came
}

const (
	// promptDelay is how long the rest of a line is waited for. A prompt has none.
	promptDelay = 200 * time.Millisecond
	// longestLine bounds what is kept of a line that does not end.
	longestLine = 64 << 10
)

// newStageLines makes a pipe for each stage.
func (p *pipeline) newStageLines() (l *stageLines, err error) {
	l = &stageLines{print: p.inv.Tell, done: make(chan struct{})}
	if l.over, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return nil, err
	}
	for _, s := range p.stages {
		if err := l.add(s.label()); err != nil {
			return nil, err
		}
	}
	if oneTerminal(1, 2) {
		if err := l.add(""); err != nil {
			return nil, err
		}
		l.out = l.from[len(p.stages)]
	}
	go l.relay()
	return l, nil
}

// add makes a pipe.
func (l *stageLines) add(label string) error {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	_ = unix.SetNonblock(fds[0], true) // concerns nobody else: the stage has the other end
	l.from = append(l.from, &stageLine{label: label, r: fds[0], w: fds[1]})
	return nil
}

// oneTerminal reports whether two descriptors are of the same terminal.
func oneTerminal(a, b int) bool {
	if standard(a) < 0 || standard(b) < 0 {
		return false
	}
	var first, second unix.Stat_t
	if unix.Fstat(a, &first) != nil || unix.Fstat(b, &second) != nil || first.Rdev != second.Rdev {
		return false
	}
	_, err := unix.IoctlGetTermios(a, unix.TCGETS)
	return err == nil
}

// sink is the standard error for a stage; -1 is a closed one.
func (l *stageLines) sink(stage int) int {
	if l == nil {
		return standard(2)
	}
	return l.from[stage].w
}

// output is the standard output for the last stage.
func (l *stageLines) output() int {
	if l == nil || l.out == nil {
		return standard(1)
	}
	return l.out.w
}

// started closes what only the stage may have, so that its end can be seen.
func (l *stageLines) started(stage int, last bool) {
	if l == nil {
		return
	}
	unix.Close(l.from[stage].w)
	if last && l.out != nil {
		unix.Close(l.out.w)
	}
}

// stop prints what is left, and returns when it has. What the children of a stage
// still say after it finds no reader.
func (l *stageLines) stop() {
	if l == nil {
		return
	}
	_, _ = unix.Write(l.over, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-l.done
	for _, s := range l.from {
		s.close()
	}
	unix.Close(l.over)
}

// relay prints lines until stop.
func (l *stageLines) relay() {
	defer close(l.done)
	for {
		fds, limit := l.waitFor(time.Now())
		if _, err := endpoint.Poll(fds, limit); err != nil {
			return // no memory is left
		}
		over := fds[len(l.from)].Revents != 0
		for i, s := range l.from {
			if fds[i].Revents != 0 || over && s.r >= 0 {
				s.read(l.print, over)
			}
			if len(s.text) > 0 && (over || s.r < 0 || time.Since(s.since) >= promptDelay) {
				s.say(l.print, len(s.text))
			}
		}
		if over {
			return
		}
	}
}

// waitFor is what to wait for, the end last, and for how long; below zero is no
// limit.
func (l *stageLines) waitFor(now time.Time) (fds []unix.PollFd, limit time.Duration) {
	limit = -1
	for _, s := range l.from {
		fds = append(fds, unix.PollFd{Fd: int32(s.r), Events: unix.POLLIN})
		if len(s.text) > 0 {
			limit = sooner(limit, max(0, promptDelay-now.Sub(s.since)))
		}
	}
	return append(fds, unix.PollFd{Fd: int32(l.over), Events: unix.POLLIN}), limit
}

// read takes what a stage has said, and prints the lines that are whole: once,
// or to the end of what is there.
func (s *stageLine) read(print func(string), toEnd bool) {
	buffer := make([]byte, longestLine)
	for {
		n, err := unix.Read(s.r, buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return
		case err != nil || n == 0:
			s.close()
			return
		}
		s.text, s.since = append(s.text, buffer[:n]...), time.Now()
		if end := bytes.LastIndexByte(s.text, '\n'); end >= 0 {
			s.say(print, end+1)
		}
		if len(s.text) >= longestLine {
			s.say(print, len(s.text))
		}
		if !toEnd {
			return
		}
	}
}

// say prints the first n bytes of text, as lines.
func (s *stageLine) say(print func(string), n int) {
	out := s.text[:n:n]
	if s.label != "" {
		out = s.named(out)
	}
	if out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	print(string(out))
	s.text = append(s.text[:0], s.text[n:]...)
}

// named puts the name in front of each line.
func (s *stageLine) named(text []byte) (out []byte) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		line = line[bytes.LastIndexByte(line, '\r')+1:] // what a terminal would show in the end
		out = append(out, s.label+": "...)
		out = append(append(out, line...), '\n')
	}
	return out
}

func (s *stageLine) close() {
	if s.r >= 0 {
		unix.Close(s.r)
		s.r = -1
	}
}
