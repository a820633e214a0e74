package main

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/proc"
	"zeroutils/internal/procstart"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// A pipeline is commands that are joined by pipes: directly, or, if they are to
// be shown or counted, by relays.
type pipeline struct {
	*settings
	stages  []*stage
	shown   bool // what they have done is drawn
	relayed bool
	direct  bool        // standard error of the stages is left alone
	joints  []*joint    // the relay behind each stage but the last
	said    *stageLines // what the stages say, while a display is drawn; else nil
	caught  *caught
	elapsed time.Duration // from the first start to the last end
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
	p.relayed = p.shown || inv.Flags.IsSet("stats")
	switch text := inv.Flags.String("stderr"); text {
	case "", "lines":
	case "direct":
		p.direct = true
	default:
		return tool.UsageErrorf("invalid way for standard error: %s", tool.QuoteLocale(text))
	}
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
	proc.Adopt() // what the stages leave behind is theirs when a signal is passed on
	seams, err := p.join()
	if err == nil && p.shown && !p.direct {
		p.said, err = p.newStageLines()
	}
	if err != nil {
		p.inv.Errorf("cannot make a pipe: %v", err)
		return
	}
	begun := time.Now()
	p.start(seams)
	p.show()
	p.wait()
	p.elapsed = time.Since(begun)
	p.said.stop()
	p.monitor.stop()
	p.caught.act(p)
	p.reportSlowest()
	p.report()
	p.printStats()
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
		if p.relayed {
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
		out := p.said.output()
		if i < len(seams) {
			out = seams[i].w
		}
		if s.start(in, out, p.said.sink(i)); s.err != nil {
			p.inv.Errorf("%s: %v", tool.Quote(s.argv[0]), s.failure())
		}
		p.said.started(i, i == len(p.stages)-1)
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
	done := make(chan struct{})
	if p.relayed {
		go p.sample(done)
	}
	all.Wait()
	close(done)
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
			p.inv.Errorf("stage %d, %s: %s", i+1, tool.Quote(s.name()), s.ending())
		}
	}
	p.inv.SetStatus(status)
}
