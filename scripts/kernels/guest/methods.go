package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

var methods = []string{"auto", "reflink", "copy_file_range", "sendfile", "splice", "mmap", "direct", "readwrite"}

// large is more than a private pipe holds, and ends in the middle of a page.
const large = 3<<20 + 13

// sizes are around a page, a pipe, the private pipe; a few without --all.
func (t *try) sizes() []int {
	if t.All {
		return []int{0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1<<20 + 1, large}
	}
	return []int{1, 4097, large}
}

// A route is a way of data through a tool.
type route struct {
	name string
	// copies has a tool copy a file to another, with options, and returns its
	// status and what it said. What arrived is in the other file, or returned.
	copies func(p *place, from, to string, options ...string) (status int, said string, got []byte, err error)
}

var routes = []route{
	{"zcat, file to file", func(p *place, from, to string, options ...string) (int, string, []byte, error) {
		out, err := os.Create(to)
		if err != nil {
			return 0, "", nil, err
		}
		defer out.Close()
		tool := command("zcat", append(options, from)...)
		tool.Stdout = out
		status, err := tool.finish()
		return status, tool.said.String(), nil, err
	}},
	{"zcat, file to pipe", func(_ *place, from, _ string, options ...string) (int, string, []byte, error) {
		tool := command("zcat", append(options, from)...)
		got, status, err := tool.read()
		return status, tool.said.String(), got, err
	}},
	{"zcat, pipe to file", func(_ *place, from, to string, options ...string) (int, string, []byte, error) {
		data, err := os.ReadFile(from)
		if err != nil {
			return 0, "", nil, err
		}
		out, err := os.Create(to)
		if err != nil {
			return 0, "", nil, err
		}
		defer out.Close()
		tool := command("zcat", options...)
		tool.Stdout = out
		tool.Stdin = bytes.NewReader(data) // exec makes a pipe of it
		status, err := tool.finish()
		return status, tool.said.String(), nil, err
	}},
	{"zcp", func(_ *place, from, to string, options ...string) (int, string, []byte, error) {
		tool := command("zcp", append(options, from, to)...)
		status, err := tool.finish()
		return status, tool.said.String(), nil, err
	}},
}

// read runs a program and reads its standard output, which is a pipe.
func (p *program) read() (got []byte, status int, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	p.Stdout = w
	err = p.Start()
	w.Close()
	if err != nil {
		p.stop()
		return nil, 0, err
	}
	got, err = io.ReadAll(r)
	return got, p.end(), err
}

// methods tries each method on each route at all sizes.
func (p *place) methods() {
	for _, route := range routes {
		for _, method := range methods {
			p.method(route, method)
		}
	}
}

// method reports what the sizes have in common: that the method works, how many
// bytes were moved by what; that it is refused; or that something is wrong.
func (p *place) method(route route, method string) {
	moved := map[string]int64{}
	served, refusals := 0, map[string]int{}
	for _, size := range p.sizes() {
		by, no, err := p.copies(route, method, size)
		if err != nil {
			p.result(route.name, method, "FAULT", fmt.Sprintf("%d bytes: %v", size, err))
			return
		}
		if no != "" {
			refusals[no]++
			continue
		}
		served++
		for m, n := range by {
			moved[m] += n
		}
	}
	reasons := make([]string, 0, len(refusals))
	for reason := range refusals {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	switch {
	case served == 0:
		p.result(route.name, method, "refused", strings.Join(reasons, "; "))
	case len(reasons) > 0:
		p.result(route.name, method, "works", fmt.Sprintf("at %d of %d sizes; else %s", served, len(p.sizes()), strings.Join(reasons, "; ")))
	default:
		p.result(route.name, method, "works", chief(moved))
	}
}

// chief names the method that moved most.
func chief(moved map[string]int64) (best string) {
	for m, n := range moved {
		if n > moved[best] || best == "" {
			best = m
		}
	}
	return best
}

// copies makes one copy. no is why the method does not serve.
func (p *place) copies(route route, method string, size int) (moved map[string]int64, no string, err error) {
	from, to := p.path("from"), p.path("to")
	want := noise[size%4096:][:size]
	if err := os.WriteFile(from, want, 0o644); err != nil {
		return nil, "", err
	}
	os.Remove(to)
	options := []string{"--method=" + method, "--stats=json"}
	status, said, got, err := route.copies(p, from, to, options...)
	if err != nil {
		return nil, "", err
	}
	message, moved, err := stats(said)
	if err != nil {
		return nil, "", err
	}
	if status == 1 && method != "auto" {
		if no := reason(message); no != "" {
			left, err := os.ReadFile(to)
			if err == nil && len(left) > 0 || len(got) > 0 {
				return nil, "", fmt.Errorf("%d bytes written by a method that says it cannot: %s", len(left)+len(got), message)
			}
			return nil, no, nil
		}
	}
	if status != 0 {
		return nil, "", fmt.Errorf("status %d: %s", status, message)
	}
	if message != "" {
		return nil, "", fmt.Errorf("says %s", message)
	}
	if got == nil && route.name != "zcat, file to pipe" {
		if err := p.arrived("to", want); err != nil {
			return nil, "", err
		}
	} else if err := same(got, want); err != nil {
		return nil, "", err
	}
	sum := int64(0)
	for _, n := range moved {
		sum += n
	}
	if sum != int64(size) {
		return nil, "", fmt.Errorf("--stats speaks of %d bytes of %d: %v", sum, size, moved)
	}
	return moved, "", nil
}

// arrived compares a file as it is seen here with what it should hold, then as
// it is behind the page cache, or at the server.
func (p *place) arrived(name string, want []byte) error {
	if err := holds(p.path(name), want); err != nil {
		return err
	}
	if p.server != "" {
		fd, err := unix.Open(p.path(name), unix.O_WRONLY, 0)
		if err != nil {
			return err
		}
		err = unix.Fsync(fd)
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("fsync: %w", err)
		}
		return holds(filepath.Join(p.server, name), want)
	}
	return nil
}

// stats takes the JSON of --stats from what a tool said.
func stats(said string) (message string, moved map[string]int64, err error) {
	var rest []string
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "{") {
			rest = append(rest, strings.TrimSpace(line))
			continue
		}
		var s struct{ Methods map[string]int64 }
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return "", nil, fmt.Errorf("%w in %s", err, line)
		}
		moved = s.Methods
	}
	if moved == nil {
		return "", nil, fmt.Errorf("no --stats in %q", said)
	}
	return strings.Join(rest, "; "), moved, nil
}

// reason is the kernel's word in a message that a method cannot serve.
func reason(message string) string {
	for _, words := range []string{" cannot copy from ", "failed to clone "} {
		_, after, found := strings.Cut(message, words)
		if !found {
			continue
		}
		if _, errno, found := strings.Cut(after, ": "); found {
			return errno
		}
		return "not for these"
	}
	return ""
}

// together has several files written to one output by one call of zcat, small
// and large ones, which are moved by different methods.
func (p *place) together() {
	small, big := noise[:100], noise[5000:][:large]
	for name, data := range map[string][]byte{"small": small, "big": big} {
		p.must(os.WriteFile(p.path(name), data, 0o644))
	}
	for _, order := range [][]string{{"small", "big"}, {"big", "small"}, {"small", "big", "small", "big"}} {
		p.check("zcat of files of different sizes, "+strings.Join(order, " "), func() (string, error) {
			var want []byte
			var paths []string
			for _, name := range order {
				paths = append(paths, p.path(name))
				data, err := os.ReadFile(p.path(name))
				if err != nil {
					return "", err
				}
				want = append(want, data...)
			}
			out, err := os.Create(p.path("joined"))
			if err != nil {
				return "", err
			}
			defer out.Close()
			tool := command("zcat", append([]string{"--stats=json"}, paths...)...)
			tool.Stdout = out
			if err := tool.succeed(); err != nil {
				return "", err
			}
			if err := out.Close(); err != nil {
				return "", err
			}
			dropCaches()
			if err := p.arrived("joined", want); err != nil {
				return "", err
			}
			_, moved, err := stats(tool.said.String())
			return chief(moved), err
		})
	}
}
