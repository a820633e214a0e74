package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// A rig is a tool about to run, and around it the helpers that feed it and
// take what it puts out.
type rig struct {
	ctx     context.Context
	lane    *lane
	compare bool        // consumers compare what they get with the stream
	count   bool        // system calls and memory, which takes time
	tools   []*exec.Cmd // each reads what the one before writes; none for no relay
	helpers []*exec.Cmd
	signals []*os.File // descriptors 3 and 4 of a helper
	ends    []*os.File // all our ends of pipes; closing them starts the helpers
	err     error      // the first thing that went wrong in assembling
}

// assemble starts the helpers and returns when they are ready. If it fails,
// nothing is left running.
func (r *rig) assemble(who contender) error {
	argv := who.line()
	ready, readyOut := r.pipe()
	begin, _ := r.pipe()
	r.signals = []*os.File{readyOut, begin}
	if isSocket(r.lane.stdout) {
		r.tools = append(r.tools, r.tool(r.lane.null, r.lane.null, r.withAddresses(argv)))
		return r.await(ready, readyOut)
	}
	in := r.source()
	if len(argv) == 0 {
		r.help("consume", r.lane.stdout, in, r.lane.null)
	} else {
		stdout := r.lane.stdout
		if r.compare && r.lane.columns() > 0 {
			stdout = "out"
		}
		for range who.copies - 1 {
			next, out := r.pipe()
			r.tools = append(r.tools, r.tool(in, out, argv))
			in = next
		}
		last := r.tool(in, r.sink(stdout), argv)
		if r.lane.names("/dev/fd/3") {
			last.ExtraFiles = []*os.File{r.sink("splice")}
		}
		r.tools = append(r.tools, last)
	}
	return r.await(ready, readyOut)
}

func (r *rig) tool(in, out *os.File, argv []string) *exec.Cmd {
	cmd := r.command(argv...)
	cmd.Stdin, cmd.Stdout = in, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: r.count}
	return cmd
}

// await returns when the helpers are ready.
func (r *rig) await(ready, readyOut *os.File) error {
	readyOut.Close()
	if r.err == nil {
		_, r.err = io.ReadFull(ready, make([]byte, len(r.helpers)))
	}
	if r.err != nil {
		r.letGo()
		r.wait()
	}
	return r.err
}

func (r *rig) pipe() (in, out *os.File) {
	in, out, err := os.Pipe()
	r.err = cmp.Or(r.err, err)
	r.ends = append(r.ends, in, out)
	return in, out
}

// source is standard input for the tool.
func (r *rig) source() *os.File {
	if r.lane.stdin == nothing {
		return r.lane.null
	}
	in, out := r.pipe()
	r.help("produce", r.lane.stdin, r.lane.null, out)
	return in
}

// sink is something for the tool to write to.
func (r *rig) sink(kind string) *os.File {
	switch kind {
	case nothing:
		return r.lane.null
	case "out":
		f, err := os.Create(r.lane.path(kind))
		r.err = cmp.Or(r.err, err)
		r.ends = append(r.ends, f)
		return f
	}
	in, out := r.pipe()
	r.help("consume", kind, in, r.lane.null)
	return out
}

// help starts a helper.
func (r *rig) help(what, how string, in, out *os.File) {
	if r.err != nil {
		return
	}
	if r.compare && what == "consume" {
		how = "compare"
	}
	cmd := r.command("/proc/self/exe", what, how, strconv.FormatInt(r.lane.length, 10))
	cmd.Stdin, cmd.Stdout, cmd.ExtraFiles = in, out, r.signals
	if r.err = cmd.Start(); r.err == nil {
		r.helpers = append(r.helpers, cmd)
	}
}

func (r *rig) command(argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(r.ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stderr = r.lane.dir, r.lane.log
	return cmd
}

// run is the time that counts: it starts the tool, lets the helpers begin, and
// returns when the tool has exited and the consumers have seen the end.
func (r *rig) run() (s sample, err error) {
	begin := time.Now()
	s, err = r.runTools()
	err = cmp.Or(err, r.wait())
	if err == nil && r.lane.shows == "synced" {
		err = syncfs(r.lane.dir)
	}
	s.wall = time.Since(begin)
	return s, err
}

// runTools adds up what the tools cost.
func (r *rig) runTools() (s sample, err error) {
	runtime.LockOSThread() // peakOf has to be on the thread of Start
	defer runtime.UnlockOSThread()
	for i, tool := range r.tools {
		if err = tool.Start(); err != nil {
			r.tools = r.tools[:i]
			break
		}
	}
	r.letGo()
	for _, tool := range r.tools {
		if r.count && err == nil {
			err = s.count(tool.Process.Pid)
		}
		if err != nil {
			tool.Process.Kill()
		}
		err = cmp.Or(err, tool.Wait())
		if state := tool.ProcessState; state != nil { // nil if a killed one was lost to the tracer
			s.cpu += state.UserTime() + state.SystemTime()
			usage := state.SysUsage().(*syscall.Rusage)
			s.switches += usage.Nvcsw + usage.Nivcsw
		}
	}
	return s, err
}

// letGo closes what only the processes should hold: the helpers see that and
// begin, and a pipe ends when its writers are done.
func (r *rig) letGo() {
	for _, f := range r.ends {
		f.Close()
	}
}

// wait waits for the helpers.
func (r *rig) wait() (err error) {
	for _, cmd := range r.helpers {
		if e := cmd.Wait(); e != nil {
			err = cmp.Or(err, fmt.Errorf("%s: %w", cmd.Args[1], e))
		}
	}
	return err
}
