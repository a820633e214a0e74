package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testbin"
)

var long = os.Getenv("ZEROUTILS_LONG") != ""

// asAnother is what the test binary is called where it becomes another program:
// under its own name, package testfs would keep descriptors from that.
const asAnother = "faults"

// patience is when a tool counts as hanging.
const patience = time.Minute

func TestMain(m *testing.M) {
	testbin.Filter()
	if os.Getenv(strangerVariable) != "" {
		becomeStranger()
	}
	for _, name := range []string{"ZEROUTILS_METHOD", "POSIXLY_CORRECT"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// A scene is a tool with something to read and somewhere to write.
type scene struct {
	name    string
	tool    string
	options []string
	sources []source // zcat reads them in order, the others only the first
	sinks   []sink   // the first is standard output
}

// A source is a file, named as it will be on the command line or, with a "<" in
// front, opened as standard input. The one named "-" is standard input, a pipe.
type source struct {
	name string
	size int
}

// A sink is standard output or one of ztee's operands.
type sink struct {
	kind sinkKind
	name string // of a file
}

type sinkKind string

const (
	pipe    sinkKind = "pipe"
	file    sinkKind = "file"
	appends sinkKind = "append" // to a file that has some bytes already
	null    sinkKind = "null"
)

// big is the size of a source that fills the private pipe twice, and leaves an
// odd rest.
const big = 2<<20 + 12345

// before is what an appends sink has.
const before = "what was there before\n"

// noise is bytes of which no piece resembles another.
var noise = func() []byte {
	p := make([]byte, 16<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(p)
	return p
}()

// data is what the source holds. Sources of one scene hold different bytes.
func (s scene) data(i int) []byte { return noise[4*i<<20:][:s.sources[i].size] }

// shown is what the source comes out as.
func (s scene) shown(i int) []byte {
	if slices.Contains(s.options, showTabs) {
		return bytes.ReplaceAll(s.data(i), []byte("\t"), []byte("^I"))
	}
	return s.data(i)
}

// showTabs makes zcat look at every byte.
const showTabs = "--show-tabs"

// parts are what every sink should get, one after the other.
func (s scene) parts() [][]byte {
	var parts [][]byte
	for i := range s.reads() {
		parts = append(parts, s.shown(i))
	}
	return parts
}

func (s scene) reads() []source {
	if s.tool == "zcat" {
		return s.sources
	}
	return s.sources[:1]
}

// A play is a scene that is set up in a directory, ready to run.
type play struct {
	*testing.T
	scene
	dir     string
	cmd     *exec.Cmd
	ctx     context.Context
	inlet   *os.File // where standard input is written to, if it is a pipe
	feed    func(w *os.File, data []byte)
	close   []*os.File // when the command has started
	finally []func()   // when it has ended
	readers sync.WaitGroup
	outlets map[int]*os.File // of the sinks that are pipes, where they are read
	read    func(*os.File) []byte
	arrived []func() []byte
	places  map[string]string // what strace -P calls a source or a sink
}

// setUp makes the files and the command.
func (s scene) setUp(t *testing.T, dir string) *play {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir) // as the kernel, and so strace, has it
	if err != nil {
		t.Fatal(err)
	}
	tools := testbin.Dir(t) // which may take a while
	p := &play{T: t, scene: s, dir: dir, feed: writeAll, read: readAll, outlets: map[int]*os.File{}, places: map[string]string{}}
	var cancel func()
	p.ctx, cancel = context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p.cmd = exec.CommandContext(p.ctx, filepath.Join(tools, s.tool), s.options...)
	p.cmd.Dir = dir
	p.cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL) }
	for i, source := range s.sources {
		p.addSource(i, source)
	}
	for i, sink := range s.sinks {
		p.addSink(i, sink)
	}
	return p
}

// under puts a command in front of the tool, which runs it in some other way.
func (p *play) under(words ...string) {
	p.Helper()
	path, err := exec.LookPath(words[0])
	p.must(err)
	p.cmd.Path = path
	p.cmd.Args = append(words, p.cmd.Args...)
}

func (p *play) addSource(i int, s source) {
	p.Helper()
	if s.name == "-" {
		r, w := p.pipe()
		p.close = append(p.close, r)
		p.cmd.Stdin = r
		p.places[s.name] = placeOf(p.T, r)
		p.inlet = w
		if p.tool == "zcat" {
			p.cmd.Args = append(p.cmd.Args, "-")
		}
		return
	}
	name, isStdin := strings.CutPrefix(s.name, "<")
	path := filepath.Join(p.dir, name)
	p.must(os.WriteFile(path, p.data(i), 0o600))
	p.places[s.name] = path
	if isStdin {
		f, err := os.Open(path)
		p.must(err)
		p.close = append(p.close, f)
		p.cmd.Stdin = f
	} else {
		p.cmd.Args = append(p.cmd.Args, name)
	}
}

func (p *play) addSink(i int, s sink) {
	p.Helper()
	path := s.name
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.dir, path)
	}
	switch s.kind {
	case pipe:
		r, w := p.pipe()
		p.close = append(p.close, w)
		p.places[p.sinkName(i)] = placeOf(p.T, w)
		p.outlets[i] = r
		p.arrived = append(p.arrived, nil)
		p.pass(i, w)
		return
	case null:
		p.places[p.sinkName(i)] = os.DevNull
		p.arrived = append(p.arrived, nil)
		f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		p.must(err)
		p.close = append(p.close, f)
		p.pass(i, f)
		return
	case appends:
		p.must(os.WriteFile(path, []byte(before), 0o600))
	}
	p.places[p.sinkName(i)] = path
	p.arrived = append(p.arrived, func() []byte {
		content, err := os.ReadFile(path)
		if !errors.Is(err, fs.ErrNotExist) { // ended before it was made
			p.must(err)
		}
		return content
	})
	if i > 0 {
		p.cmd.Args = append(p.cmd.Args, s.name)
		return
	}
	flags := os.O_WRONLY | os.O_CREATE
	if s.kind == appends {
		flags |= os.O_APPEND
	}
	f, err := os.OpenFile(path, flags, 0o600)
	p.must(err)
	p.close = append(p.close, f)
	p.cmd.Stdout = f
}

// pass gives the command an open sink, as standard output or as a name.
func (p *play) pass(i int, f *os.File) {
	if i == 0 {
		p.cmd.Stdout = f
		return
	}
	p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, f)
	p.cmd.Args = append(p.cmd.Args, p.sinkName(i))
}

// sinkName is what messages call a sink.
func (s scene) sinkName(i int) string {
	if i == 0 {
		return "standard output"
	}
	if s.sinks[i].name != "" {
		return s.sinks[i].name
	}
	earlier := slices.DeleteFunc(slices.Clone(s.sinks[1:i]), func(s sink) bool { return s.name != "" })
	return fmt.Sprintf("/proc/self/fd/%d", 3+len(earlier))
}

// pipe returns both ends. The test's own are closed at the end.
func (p *play) pipe() (r, w *os.File) {
	p.Helper()
	var fds [2]int
	p.must(unix.Pipe2(fds[:], unix.O_CLOEXEC)) // os.Pipe would make it nonblocking
	r, w = os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe")
	p.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func writeAll(w *os.File, data []byte) {
	defer w.Close()
	_, _ = w.Write(data) // EPIPE is for the verdict to notice
}

func readAll(r *os.File) []byte {
	var all bytes.Buffer
	all.Grow(big + bytes.MinRead) // growing is what costs most with the race detector
	_, _ = all.ReadFrom(r)
	return all.Bytes()
}

// leave is for a pipe that nobody reads.
func (p *play) leave(i int) {
	p.outlets[i].Close()
	delete(p.outlets, i)
}

func (p *play) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// placeOf is what the system calls an open pipe.
func placeOf(t *testing.T, f *os.File) string {
	t.Helper()
	place, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// An outcome is what is left when the tool has ended.
type outcome struct {
	*play
	state *os.ProcessState
	said  string // on standard error
	got   [][]byte
}

// run runs the command to its end.
func (p *play) run() outcome {
	p.Helper()
	p.start()
	return p.wait()
}

func (p *play) start() {
	p.Helper()
	p.cmd.Stderr = &bytes.Buffer{}
	p.must(p.cmd.Start())
	for _, f := range p.close {
		f.Close()
	}
	if p.inlet != nil {
		i := slices.IndexFunc(p.sources, func(s source) bool { return s.name == "-" })
		go p.feed(p.inlet, p.data(i))
	}
	for i, r := range p.outlets {
		var got []byte
		p.arrived[i] = func() []byte { return got }
		p.readers.Go(func() { got = p.read(r) })
	}
}

func (p *play) wait() outcome {
	p.Helper()
	err := p.cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		p.Fatalf("%v: %v", p.cmd, err)
	}
	if p.ctx.Err() != nil {
		p.Errorf("%v was still running after %v", p.cmd, patience)
	}
	for _, do := range p.finally {
		do()
	}
	p.readers.Wait()
	for _, r := range p.outlets {
		r.Close()
	}
	o := outcome{play: p, state: p.cmd.ProcessState, said: p.cmd.Stderr.(*bytes.Buffer).String()}
	for _, arrived := range p.arrived {
		var got []byte
		if arrived != nil {
			got = arrived()
		}
		o.got = append(o.got, got)
	}
	return o
}
