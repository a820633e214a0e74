package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A usage is the most that a tool was seen to use.
type usage struct{ memory, threads, descriptors int }

// A watch looks at the processes that run, every now and then. Its zero value
// watches nothing yet.
type watch struct {
	mu      sync.Mutex
	running map[int]string // names of tools by process
	peak    map[string]usage
	count   int
}

// often is how often a watch looks.
const often = 20 * time.Millisecond

func (w *watch) add(name string, pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running == nil {
		w.running, w.peak = map[int]string{}, map[string]usage{}
		go w.look()
	}
	w.running[pid] = name
	w.count++
}

func (w *watch) remove(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, pid)
}

func (w *watch) started() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

func (w *watch) look() {
	for range time.Tick(often) {
		w.mu.Lock()
		running := maps.Clone(w.running)
		w.mu.Unlock()
		for pid, name := range running {
			now, err := usageOf(pid)
			if err != nil {
				continue // it has ended
			}
			w.mu.Lock()
			was := w.peak[name]
			w.peak[name] = usage{max(was.memory, now.memory), max(was.threads, now.threads), max(was.descriptors, now.descriptors)}
			w.mu.Unlock()
		}
	}
}

func (w *watch) summarize(out io.Writer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(w.peak)) {
		u := w.peak[name]
		fmt.Fprintf(out, "%s: at most %d MB of memory, %d threads, %d descriptors\n", name, u.memory/1e6, u.threads, u.descriptors)
	}
}

// most is what no tool may use here: buffers of scenes hold 16 MiB at most, and
// nothing else grows with the data.
var most = usage{memory: 160e6, threads: 60, descriptors: 1200}

// check says which tool used too much.
func (w *watch) check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(w.peak)) {
		if u := w.peak[name]; u.memory > most.memory || u.threads > most.threads || u.descriptors > most.descriptors {
			faults = append(faults, fmt.Errorf("%s used too much: %d MB of memory, %d threads, %d descriptors", name, u.memory/1e6, u.threads, u.descriptors))
		}
	}
	return errors.Join(faults...)
}

// usageOf reads what a process uses now, and the most memory it had.
func usageOf(pid int) (u usage, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch name {
		case "VmHWM":
			u.memory = n * 1024
		case "Threads":
			u.threads = n
		}
	}
	links, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	u.descriptors = len(links)
	return u, err
}
