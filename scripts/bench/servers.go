package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A server relays each connection to a program behind it, which echoes. Clients
// connect, send a request, wait for its echo and leave.

const (
	requestBytes = 1 << 10
	requests     = 2000 // of a run, from all clients
)

var serverClients = []int{1, 10, 100, 1000}

type serverFigures struct {
	Label   string `json:"label"`
	Ours    bool   `json:"ours,omitempty"`
	Clients int    `json:"clients"` // connected at a time
	Wall    int64  `json:"wall"`    // nanoseconds for all requests, median of the rounds
	P99     int64  `json:"p99"`     // nanoseconds in which 99 of 100 requests were answered
	CPU     int64  `json:"cpu"`     // nanoseconds of the server for a request
	KiB     int64  `json:"kib"`     // memory of the server for a connection that is open
	Error   string `json:"error,omitempty"`
}

// A server is started with the address to listen at, and the one to relay to.
type server struct {
	program
	arguments func(listen, relay string) []string
}

func servers(tools toolbox) (all []server) {
	for _, p := range tools["socat"] {
		all = append(all, server{p, func(listen, relay string) []string {
			_, port, _ := net.SplitHostPort(listen)
			return []string{"TCP-LISTEN:" + port + ",bind=127.0.0.1,reuseaddr,fork,backlog=1024", "TCP:" + relay}
		}})
	}
	for _, p := range tools["zpipe"] {
		all = append(all, server{p, func(listen, relay string) []string {
			return []string{"--serve", "--both", "tcp-listen:" + listen, "tcp:" + relay}
		}})
	}
	return all
}

func runServers(ctx context.Context, tools toolbox, rounds int) (all []serverFigures, err error) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer echo.Close()
	go serveEcho(echo)
	for _, clients := range serverClients {
		lineup := servers(tools)
		samples := make([][]serverFigures, len(lineup))
		failed := make([]error, len(lineup))
		for range rounds {
			for i, s := range lineup {
				if s.err != nil || failed[i] != nil || ctx.Err() != nil {
					continue
				}
				f, err := s.run(ctx, echo.Addr().String(), clients)
				samples[i], failed[i] = append(samples[i], f), err
			}
		}
		for i, s := range lineup {
			if s.err == nil && ctx.Err() == nil {
				all = append(all, typical(s, clients, samples[i], failed[i]))
			}
		}
	}
	return all, ctx.Err()
}

// typical is the medians of some runs.
func typical(s server, clients int, samples []serverFigures, err error) serverFigures {
	f := serverFigures{Label: s.label, Ours: s.ours, Clients: clients}
	if err != nil {
		f.Error = err.Error()
		return f
	}
	of := func(value func(serverFigures) int64) int64 {
		var values []int64
		for _, s := range samples {
			values = append(values, value(s))
		}
		slices.Sort(values)
		return middle(values)
	}
	f.Wall = of(func(f serverFigures) int64 { return f.Wall })
	f.P99 = of(func(f serverFigures) int64 { return f.P99 })
	f.CPU = of(func(f serverFigures) int64 { return f.CPU })
	f.KiB = of(func(f serverFigures) int64 { return f.KiB })
	return f
}

func serveEcho(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed
		}
		go func() {
			defer conn.Close()
			io.Copy(conn, conn)
		}()
	}
}

// run starts the server, and measures it.
func (s server) run(ctx context.Context, echo string, clients int) (f serverFigures, err error) {
	address, err := freeAddress()
	if err != nil {
		return f, err
	}
	line := append(s.argv[:len(s.argv):len(s.argv)], s.arguments(address, echo)...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return f, err
	}
	err = f.measure(address, clients, cmd.Process.Pid)
	cmd.Process.Signal(unix.SIGTERM)
	cmd.Wait() // dies of the signal
	if err != nil {
		return f, fmt.Errorf("%w: %s", err, said.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage) // with its children, for which it waits
	f.CPU = (usage.Utime.Nano() + usage.Stime.Nano()) / (requests + int64(clients))
	return f, nil
}

// freeAddress is one that nobody listens at now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (f *serverFigures) measure(address string, clients, pid int) error {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) { // until it listens
		if err := ask(address); err == nil {
			break
		} else if time.Since(begin) > 10*time.Second {
			return err
		}
	}
	if err := f.measureMemory(address, clients, pid); err != nil {
		return err
	}
	var next atomic.Int64
	took := make([]int64, requests)
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	begin := time.Now()
	for range clients {
		all.Go(func() {
			for i := next.Add(1) - 1; i < requests && failed.Load() == nil; i = next.Add(1) - 1 {
				start := time.Now()
				if err := ask(address); err != nil {
					failed.Store(&err)
				}
				took[i] = int64(time.Since(start))
			}
		})
	}
	all.Wait()
	f.Wall = int64(time.Since(begin))
	if err := failed.Load(); err != nil {
		return *err
	}
	slices.Sort(took)
	f.P99 = took[len(took)*99/100]
	return nil
}

// ask makes one request.
func ask(address string) error {
	conn, err := connect(address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// connect returns a connection that has been served once.
func connect(address string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, 20*time.Second)
	if err != nil {
		return nil, err
	}
	request, answer := bytes.Repeat([]byte("zero"), requestBytes/4), make([]byte, requestBytes)
	err = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err == nil {
		_, err = conn.Write(request)
	}
	if err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err == nil && !bytes.Equal(request, answer) {
		err = errors.New("the answer is not the request")
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (f *serverFigures) measureMemory(address string, clients, pid int) (err error) {
	before, err := memoryOf(pid)
	var open []net.Conn
	for range clients {
		conn, dialErr := connect(address)
		if dialErr != nil {
			err = cmp.Or(err, dialErr)
			break
		}
		open = append(open, conn)
	}
	after, memoryErr := memoryOf(pid)
	for _, conn := range open {
		conn.Close()
	}
	f.KiB = max(0, after-before) / int64(clients)
	return cmp.Or(err, memoryErr)
}

// memoryOf is what a process and its children hold, in KiB; what they share is
// divided among them (PSS).
func memoryOf(pid int) (kib int64, err error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(rollup), "\nPss:")
	number, _, _ := strings.Cut(rest, "kB")
	if kib, err = strconv.ParseInt(strings.TrimSpace(number), 10, 64); err != nil {
		return 0, err
	}
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // that thread has ended
		}
		for _, child := range strings.Fields(string(children)) {
			id, _ := strconv.Atoi(child)
			if more, err := memoryOf(id); err == nil {
				kib += more
			}
		}
	}
	return kib, err
}
