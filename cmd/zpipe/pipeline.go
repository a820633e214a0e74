package main

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/procstart"
	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A pipeline is commands that are joined by pipes: directly, or, if they are to
// be shown, by relays that count.
type pipeline struct {
	*settings
	stages []*stage
	shown  bool     // on a terminal
	joints []*joint // the relay behind each stage but the last; none without a display
	caught *caught
}

const (
	runWord   = "run" // the operand that makes the others a pipeline
	separator = ":::"
)

// runPipeline is `zpipe run`.
func runPipeline(inv *tool.Invocation) error {
	s := &settings{inv: inv}
	s.opener.PipeSize = splice.DefaultPipeSize
	if text := inv.Flags.String("pipe-size"); text != "" {
		if err := s.readPipeSize(text); err != nil {
			return err
		}
	}
	var err error
	if s.monitor, err = newMonitor(inv); err != nil {
		return err
	}
	p := &pipeline{settings: s, shown: s.monitor.view.on && s.monitor.view.options.Draws()}
	if err := p.read(inv.Operands[1:]); err != nil {
		return err
	}
	p.run()
	return nil
}

// read takes the commands from the operands.
func (p *pipeline) read(operands []string) error {
	argv := []string{}
	for _, word := range append(operands, separator) {
		if word != separator {
			argv = append(argv, word)
			continue
		}
		if len(argv) == 0 {
			return tool.UsageErrorf("missing command")
		}
		p.stages = append(p.stages, &stage{argv: argv})
		argv = nil
	}
	return nil
}

// run starts the commands, waits for them and takes their status. None is
// started if there are not pipes for all: the last may be one that replaces a
// file.
func (p *pipeline) run() {
	p.catchSignals()
	seams, err := p.join()
	if err != nil {
		p.inv.Errorf("cannot make a pipe: %v", err)
		return
	}
	p.start(seams)
	p.show()
	p.wait()
	p.monitor.stop()
	p.caught.act(p)
	p.report()
}

// A seam is what one stage writes to and the next reads from.
type seam struct{ w, r int }

// join makes what lies between the stages.
func (p *pipeline) join() (seams []seam, err error) {
	for range len(p.stages) - 1 {
		r, w, err := p.pipe()
		if err != nil {
			return nil, err
		}
		if p.shown {
			nextR, nextW, err := p.pipe()
			if err != nil {
				return nil, err
			}
			p.joints = append(p.joints, p.newJoint(r, nextW))
			r = nextR
		}
		seams = append(seams, seam{w, r})
	}
	return seams, nil
}

// start starts the commands, first to last. One that cannot be started has ended
// for its neighbours, as in a shell.
func (p *pipeline) start(seams []seam) {
	in := standard(0)
	for i, s := range p.stages {
		out := standard(1)
		if i < len(seams) {
			out = seams[i].w
		}
		if s.err = s.start(in, out); s.err != nil {
			p.inv.Errorf("%s: %v", tool.Quote(s.argv[0]), s.failure())
		}
		p.caught.passOn(s)
		if i > 0 {
			unix.Close(in)
		}
		if i < len(seams) {
			unix.Close(out)
			in = seams[i].r
		}
	}
}

// standard is what a command gets for one of our standard descriptors: -1, which
// is none, if we have none.
func standard(fd int) int {
	if procstart.Closed(fd) {
		return -1
	}
	return fd
}

func (p *pipeline) pipe() (r, w int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, err
	}
	_, _ = splice.RaisePipe(fds[1], p.opener.PipeSize) // a smaller pipe works as well
	return fds[0], fds[1], nil
}

// wait returns when all commands have ended, and all bytes are where they go.
func (p *pipeline) wait() {
	var all sync.WaitGroup
	for _, j := range p.joints {
		all.Go(func() { p.relayJoint(j) })
	}
	for _, s := range p.stages {
		all.Go(s.wait)
	}
	all.Wait()
}

// report names the stages that have failed, and takes the status of the last of
// them.
func (p *pipeline) report() {
	status := p.inv.Status()
	for i, s := range p.stages {
		if s.status() == 0 {
			continue
		}
		status = s.status()
		if s.err == nil {
			p.inv.Errorf("stage %d, %s: %s", i+1, tool.Quote(strings.Join(s.argv, " ")), s.ending())
		}
	}
	p.inv.SetStatus(status)
}

// A caught is the signals that come while a pipeline runs.
type caught struct {
	mu       sync.Mutex
	keyboard syscall.Signal // of SIGINT and SIGQUIT the last
	told     syscall.Signal // of SIGTERM and SIGHUP the last
	pressed  chan struct{}  // has something when keyboard is set
}

// catchSignals has the pipeline outlive what kills its stages, so that it can
// say how they ended. SIGINT and SIGQUIT come from the terminal, to the stages
// as well; others are passed on to them.
func (p *pipeline) catchSignals() {
	p.caught = &caught{pressed: make(chan struct{}, 1)}
	told := make(chan os.Signal, 4)
	signals.Notify(told, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range told {
			p.caught.note(s.(syscall.Signal), p)
		}
	}()
}

// passOn tells a stage what came before it was started.
func (c *caught) passOn(s *stage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told != 0 {
		s.signal(c.told)
	}
}

func (c *caught) note(sig syscall.Signal, p *pipeline) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sig == syscall.SIGINT || sig == syscall.SIGQUIT {
		c.keyboard = sig
		select {
		case c.pressed <- struct{}{}:
		default:
		}
		return
	}
	c.told = sig
	for _, s := range p.stages {
		s.signal(sig)
	}
}

// keyLateness is how much later than a stage we may get a signal from the keyboard.
const keyLateness = 200 * time.Millisecond

// act ends the process by a signal that it should have died of: one that it was
// told itself, or one from the keyboard that has killed a stage.
func (c *caught) act(p *pipeline) {
	killed := false
	for _, s := range p.stages {
		killed = killed || s.diedOf(syscall.SIGINT) || s.diedOf(syscall.SIGQUIT)
	}
	if killed {
		select {
		case <-c.pressed:
		case <-time.After(keyLateness):
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.told != 0:
		signals.Die(c.told)
	case killed && c.keyboard != 0:
		signals.Die(c.keyboard)
	}
}
