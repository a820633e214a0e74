package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A try is a test that runs, and where it says what came out.
type try struct {
	order
	name  string
	place int // in the list of all
	out   io.Writer
	undo  []func() // when the test has ended, last first
}

func newTry() (*try, error) {
	o, err := readOrder()
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile("/dev/ttyS1", os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	// As it is written, without a carriage return before each newline.
	state, err := unix.IoctlGetTermios(int(out.Fd()), unix.TCGETS)
	if err == nil {
		state.Oflag &^= unix.OPOST
		err = unix.IoctlSetTermios(int(out.Fd()), unix.TCSETS, state)
	}
	return &try{order: o, out: out}, err
}

func (t *try) say(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	t.out.Write(append(text, '\n'))
}

func (t *try) result(part, method, verdict, detail string) {
	t.say(map[string]any{"Test": t.name, "Place": t.place, "Part": part, "Method": method, "Verdict": verdict, "Detail": detail})
}

// works, refuses and fault say what came of a part of the test.
func (t *try) works(part, detail string)   { t.result(part, "", "works", detail) }
func (t *try) refuses(part, detail string) { t.result(part, "", "refused", detail) }

func (t *try) fault(part string, format string, a ...any) {
	t.result(part, "", "FAULT", fmt.Sprintf(format, a...))
}

// errStop ends a test that has said why.
var errStop = errors.New("stop")

// must ends the test if a part of its setting up failed.
func (t *try) must(err error) {
	if err != nil {
		t.fault("setting up", "%v", err)
		panic(errStop)
	}
}

// one runs a test, and undoes what it has set up.
func (t *try) one(what test) {
	t.result("", "", "begins", "")
	defer func() {
		for i := len(t.undo) - 1; i >= 0; i-- {
			t.undo[i]()
		}
		t.undo = nil
	}()
	defer func() {
		if got := recover(); got != nil && got != errStop {
			t.fault("all of it", "%v", got)
		}
	}()
	what.run(t)
}

func (t *try) cleanup(f func()) { t.undo = append(t.undo, f) }

// check reports a part that works unless the function says what is wrong.
func (t *try) check(part string, f func() (detail string, err error)) {
	detail, err := f()
	no := refusal("")
	switch {
	case errors.As(err, &no):
		t.refuses(part, string(no))
	case err != nil:
		t.fault(part, "%v", err)
	default:
		t.works(part, detail)
	}
}

// A refusal is why something cannot be had here, which is as it should be.
type refusal string

func (r refusal) Error() string { return string(r) }

// patience is when a program counts as hanging. The busiest machine that
// emulates another takes a tenth of it.
const patience = 4 * time.Minute

// A program runs until it ends or is killed for hanging.
type program struct {
	*exec.Cmd
	said bytes.Buffer // on standard error
	stop func()
}

func command(name string, args ...string) *program {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	p := &program{Cmd: exec.CommandContext(ctx, name, args...), stop: stop}
	p.Stderr = &p.said
	p.WaitDelay = time.Minute
	return p
}

// end waits, and returns the status: -1 for one that was killed.
func (p *program) end() int {
	p.Wait()
	p.stop()
	return p.ProcessState.ExitCode()
}

// finish starts a program and waits for it.
func (p *program) finish() (int, error) {
	if err := p.Start(); err != nil {
		p.stop()
		return 0, err
	}
	return p.end(), nil
}

// succeed is finish for one that must succeed.
func (p *program) succeed() error {
	status, err := p.finish()
	if err == nil && status != 0 {
		err = p.failed(status)
	}
	return err
}

func (p *program) failed(status int) error {
	return fmt.Errorf("%s: status %d: %s", strings.Join(p.Args, " "), status, strings.TrimSpace(p.said.String()))
}

// noise is bytes of which no piece resembles another.
var noise = func() []byte {
	p := make([]byte, 8<<20)
	rand.NewChaCha8([32]byte{}).Read(p)
	return p
}()

// same says where two contents differ.
func same(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	n := min(len(got), len(want))
	for i := range n {
		if got[i] != want[i] {
			return fmt.Errorf("differs from byte %d on; %d bytes, want %d", i, len(got), len(want))
		}
	}
	return fmt.Errorf("%d bytes, want %d", len(got), len(want))
}

// holds says how a file differs from what it should hold.
func holds(path string, want []byte) error {
	got, err := os.ReadFile(path)
	if err == nil {
		err = same(got, want)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// dropCaches has whatever is read next come from the disk or the server.
func dropCaches() {
	unix.Sync()
	os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}
