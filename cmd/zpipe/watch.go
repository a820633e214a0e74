package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/meter"
	"zeroutils/internal/tool"
)

// A watch shows how far other processes have come in the files that they have
// open.
type watch struct {
	*monitor
	targets []target
	adopt   func(f *openFile) // gives a file that was found its name and its meter

	mu    sync.Mutex
	files []*openFile
}

// A target is a process, or one descriptor of it.
type target struct{ pid, fd int } // fd is -1 for all of them

// runWatch is -d. It ends when nothing is left to be watched.
func runWatch(inv *tool.Invocation) error {
	m, err := newMonitor(inv)
	if err != nil {
		return err
	}
	w := &watch{monitor: m}
	w.adopt = w.nameAndMeter
	for _, text := range append(valuesOf(inv, "watchfd"), inv.Operands...) {
		t, err := parseTarget(text)
		if err != nil {
			return err
		}
		w.targets = append(w.targets, t)
	}
	if !m.view.named { // what to show is what -d is for
		m.view.style.Fields, m.view.on = meter.Default, !inv.Flags.Bool("quiet")
	}
	for _, t := range w.targets {
		if err := w.begin(t); err != nil {
			inv.Errorf("%s: %v", t, err)
		}
	}
	if m.view.on && (len(w.files) > 0 || w.followsProcess()) {
		m.view.options.Shared = false // it has several rows
		m.show(w.rows)
	}
	w.toTheEnd()
	m.stop()
	return nil
}

// toTheEnd returns when nothing is left to be watched.
func (w *watch) toTheEnd() {
	for w.look() {
		time.Sleep(lookPeriod)
	}
}

// nameAndMeter has a file counted from where it is.
func (w *watch) nameAndMeter(f *openFile) {
	f.name, f.meter = w.view.style.Name, meter.NewAt(f.at, f.total(w.flow.size))
	if f.target.fd < 0 {
		f.name, f.meter = fmt.Sprintf("%d:%s", f.fd, filepath.Base(f.file)), meter.NewAt(f.at, f.total(0))
	}
}

// lookPeriod is how often the processes are looked at.
const lookPeriod = 100 * time.Millisecond

func valuesOf(inv *tool.Invocation, option string) (values []string) {
	for _, o := range inv.Line.Options {
		if o.Name == option {
			values = append(values, o.Value)
		}
	}
	return values
}

func parseTarget(text string) (target, error) {
	pid, fd, both := strings.Cut(text, ":")
	t := target{fd: -1}
	var err, err2 error
	t.pid, err = strconv.Atoi(pid)
	if both {
		t.fd, err2 = strconv.Atoi(fd)
	}
	if err != nil || err2 != nil || t.pid <= 0 || both && t.fd < 0 {
		return t, tool.UsageErrorf("invalid process: %s", tool.QuoteLocale(text))
	}
	return t, nil
}

func (t target) String() string {
	if t.fd < 0 {
		return fmt.Sprintf("process %d", t.pid)
	}
	return fmt.Sprintf("process %d, descriptor %d", t.pid, t.fd)
}

// begin begins to watch a target. The error says what is wrong with it.
func (w *watch) begin(t target) error {
	if !t.lives() {
		return unix.ESRCH
	}
	if t.fd < 0 {
		_, err := os.ReadDir(t.path("fd"))
		return err
	}
	f, err := t.open(t.fd)
	if err != nil {
		if err == unix.ENOENT {
			err = unix.EBADF
		}
		return err
	}
	w.adopt(f)
	w.files = append(w.files, f)
	return nil
}

// lives reports whether the process has not ended. Its parent may not have
// noticed yet: proc_pid_stat(5).
func (t target) lives() bool {
	stat, err := os.ReadFile(t.path("stat"))
	_, state, ok := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	return err == nil && ok && !bytes.HasPrefix(state, []byte("Z")) && !bytes.HasPrefix(state, []byte("X"))
}

func (t target) path(elements ...string) string {
	return filepath.Join(append([]string{"/proc", strconv.Itoa(t.pid)}, elements...)...)
}

// followsAny reports whether a target is a process and not a descriptor.
func (w *watch) followsAny() bool {
	return slices.ContainsFunc(w.targets, func(t target) bool { return t.fd < 0 })
}

func (w *watch) followsProcess() bool {
	return slices.ContainsFunc(w.targets, func(t target) bool { return t.fd < 0 && t.lives() })
}

// look looks at everything anew, and reports whether anything is left.
func (w *watch) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files = slices.DeleteFunc(w.files, func(f *openFile) bool {
		return !f.update() && f.target.fd < 0 && f.target.lives() // else its last state stays
	})
	for _, t := range w.targets {
		if t.fd < 0 {
			w.discover(t)
		}
	}
	return w.followsProcess() || slices.ContainsFunc(w.files, func(f *openFile) bool { return !f.gone })
}

// discover adds the files that a process has opened since.
func (w *watch) discover(t target) {
	entries, err := os.ReadDir(t.path("fd"))
	if err != nil {
		return // it has ended
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || slices.ContainsFunc(w.files, func(f *openFile) bool { return f.target == t && f.fd == fd }) {
			continue
		}
		f, err := t.open(fd)
		if err != nil {
			continue // it is no file, or closed again
		}
		w.adopt(f)
		w.files = append(w.files, f)
	}
}

// rows is a line for each file.
func (w *watch) rows(frame meter.Frame) (rows []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.files {
		style := w.view.style
		style.Name = f.name
		st := f.meter.State(frame.Now)
		st.Done = frame.Last
		if w.view.numeric {
			rows = append(rows, style.Numeric(st))
		} else {
			rows = append(rows, style.Line(st, frame.Width))
		}
	}
	return rows
}
