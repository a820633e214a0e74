package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/property"
)

// A way is an operand, and the test's end of it, which is opened when zpipe
// runs.
type way struct {
	operand string
	open    func() io.ReadWriteCloser // nil for what is looked at afterwards
	theirs  *os.File                  // zpipe's end, of those that are descriptors
	file    string                    // behind it, where there is nothing to open
}

// ways makes one of each kind of endpoint. A source that has no end to write to
// gives data.
var ways = map[string]func(t *testing.T, source bool, data []byte) way{
	"-":                func(t *testing.T, source bool, _ []byte) way { return viaDescriptor(t, source, "-") },
	"fd":               func(t *testing.T, source bool, _ []byte) way { return viaDescriptor(t, source, "fd:3") },
	"file":             viaFile,
	"fifo":             viaFIFO,
	"unix":             func(t *testing.T, _ bool, _ []byte) way { return viaConnecting(t, "unix", socketPath(t)) },
	"abstract":         func(t *testing.T, _ bool, _ []byte) way { return viaConnecting(t, "unix", "@"+socketPath(t)) },
	"tcp":              func(t *testing.T, _ bool, _ []byte) way { return viaConnecting(t, "tcp", "127.0.0.1:0") },
	"tcp, IPv6":        func(t *testing.T, _ bool, _ []byte) way { return viaConnecting(t, "tcp", "[::1]:0") },
	"unix-listen":      func(t *testing.T, _ bool, _ []byte) way { return viaListening(t, "unix", socketPath(t)) },
	"tcp-listen":       func(t *testing.T, _ bool, _ []byte) way { return viaListening(t, "tcp", freePort(t, "127.0.0.1")) },
	"tcp-listen, IPv6": func(t *testing.T, _ bool, _ []byte) way { return viaListening(t, "tcp", freePort(t, "[::1]")) },
	"exec":             viaExec,
	"sh":               viaShell,
}

// variants differ from another kind only in how they are opened. They meet every
// kind only if there is time.
var variants = map[string]int{"abstract": 1, "tcp, IPv6": 1, "tcp-listen, IPv6": 1, "sh": 1, "fd": 1}

func viaDescriptor(t *testing.T, source bool, operand string) way {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	ours, theirs := r, w
	if source {
		ours, theirs = w, r
	}
	return way{operand: operand, open: func() io.ReadWriteCloser { return ours }, theirs: theirs}
}

func viaFile(t *testing.T, source bool, data []byte) way {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("what was there before, and goes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if source {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return way{operand: "file:" + path, file: path}
}

func viaFIFO(t *testing.T, source bool, _ []byte) way {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return way{operand: "file:" + path, open: func() io.ReadWriteCloser {
		flags := os.O_RDONLY
		if source {
			flags = os.O_WRONLY
		}
		f, err := os.OpenFile(path, flags, 0)
		if err != nil {
			t.Error(err)
		}
		return f
	}}
}

func viaConnecting(t *testing.T, network, address string) way {
	l := listen(t, network, address)
	return way{operand: network + ":" + l.Addr().String(), open: func() io.ReadWriteCloser {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		return c
	}}
}

func viaListening(t *testing.T, network, address string) way {
	return way{operand: network + "-listen:" + address, open: func() io.ReadWriteCloser { return dial(t, network, address) }}
}

// freePort is an address that nobody else is given while the test lasts: it is
// bound, but not listened on, so that zpipe can have it as well.
func freePort(t *testing.T, host string) string {
	t.Helper()
	family, any := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if host == "[::1]" {
		family, any = unix.AF_INET6, &unix.SockaddrInet6{Addr: [16]byte{15: 1}}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, any); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	if v4, ok := name.(*unix.SockaddrInet4); ok {
		return fmt.Sprintf("%s:%d", host, v4.Port)
	}
	return fmt.Sprintf("%s:%d", host, name.(*unix.SockaddrInet6).Port)
}

// viaExec has cat read or dd write a file.
func viaExec(t *testing.T, source bool, data []byte) way {
	w := viaFile(t, source, data)
	if source {
		w.operand = "exec:cat  '" + w.file + "'"
	} else {
		w.operand = "exec:dd of='" + w.file + "' bs=64k status=none"
	}
	return w
}

func viaShell(t *testing.T, source bool, data []byte) way {
	w := viaFile(t, source, data)
	if source {
		w.operand = "sh:cat <'" + w.file + "' | cat"
	} else {
		w.operand = "sh:cat | cat >'" + w.file + "'"
	}
	return w
}

// sizes are those of tests of the engine: nothing, a byte, and what is next to
// pages and pipes.
var sizes = []int{0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5<<20 + 12345}

func TestEveryPairOfEndpointsRelaysEverything(t *testing.T) {
	next := 0
	kinds := slices.Sorted(maps.Keys(ways)) // the same sizes for the same kinds each time
	for _, from := range kinds {
		for _, to := range kinds {
			if from == "fd" && to == "fd" { // both are descriptor 3 here
				continue
			}
			if !property.Long() && variants[from]+variants[to] > 0 && from != "-" && to != "-" {
				continue
			}
			some := sizes
			if !property.Long() {
				next = (next + 5) % len(sizes) // each size comes with each kind
				some = sizes[next : next+1]
			}
			for _, size := range some {
				t.Run(fmt.Sprintf("%s to %s, %d", from, to, size), func(t *testing.T) {
					t.Parallel()
					relayOnce(t, from, to, noise[:size])
				})
			}
		}
	}
}

func relayOnce(t *testing.T, from, to string, data []byte) {
	src, dst := ways[from](t, true, data), ways[to](t, false, nil)
	p := launch(t, func(p *process) {
		p.cmd.Dir = "/"
		give(p, from, src, true)
		give(p, to, dst, false)
	}, src.operand, dst.operand)
	var peers sync.WaitGroup
	if src.open != nil {
		peers.Go(func() {
			c := src.open()
			if _, err := c.Write(data); err != nil {
				t.Error(err)
			}
			c.Close()
		})
	}
	var got []byte
	if dst.open != nil {
		peers.Go(func() {
			c := dst.open()
			got = hear(t, c)
			c.Close()
		})
	}
	peers.Wait()
	p.ended(0, "")
	if dst.open == nil {
		var err error
		if got, err = os.ReadFile(dst.file); err != nil {
			t.Fatal(err)
		}
	}
	if err := same(got, data); err != nil {
		t.Error(err)
	}
}

// give hands zpipe the descriptor of a way that is one.
func give(p *process, kind string, w way, source bool) {
	switch {
	case w.theirs == nil:
	case kind == "fd":
		p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, w.theirs)
	case source:
		p.cmd.Stdin = w.theirs
	default:
		p.cmd.Stdout = w.theirs
	}
}

// Both directions at the same time, each with bytes of its own.
func TestBothDirectionsAreRelayedAtOnce(t *testing.T) {
	twoWay := []string{"unix", "abstract", "tcp", "tcp, IPv6", "unix-listen", "tcp-listen"}
	for i, from := range twoWay {
		for j, to := range twoWay {
			size := sizes[(i+2*j)%len(sizes)]
			t.Run(fmt.Sprintf("%s and %s, %d", from, to, size), func(t *testing.T) {
				t.Parallel()
				a, b := ways[from](t, true, nil), ways[to](t, false, nil)
				p := launch(t, nil, "--both", a.operand, b.operand)
				up, down := noise[:size], noise[len(noise)-size:]
				var peers sync.WaitGroup
				talk := func(w way, data, want []byte) {
					c := w.open().(conn)
					_ = c.SetDeadline(time.Now().Add(enough))
					var speaking sync.WaitGroup
					speaking.Go(func() { say(t, c, data) })
					if err := same(hear(t, c), want); err != nil {
						t.Error(err)
					}
					speaking.Wait()
					c.Close()
				}
				peers.Go(func() { talk(a, up, down) })
				peers.Go(func() { talk(b, down, up) })
				peers.Wait()
				p.ended(0, "")
			})
		}
	}
}
