package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
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

// A conversation is a zpipe with the test at the ends that are sockets.
type conversation struct {
	name string
	args []string // PEER is a socket of the test's, LISTEN one that it connects to
	// sends and gets say what the test does at its socket; else the bytes come
	// from the file "in", or go to "out".
	sends, gets bool
	calls       map[string]string // those that fail, and with what, in turn
	// stages says that it is a pipeline with a display: what is drawn is no
	// message, and what a failure does to the stages is told as well.
	stages bool
}

var conversations = []conversation{
	{
		name: "from a socket to a file", args: []string{"PEER", "out"}, sends: true,
		calls: map[string]string{
			"socket": "EMFILE ENOBUFS EACCES", "connect": "ECONNREFUSED ETIMEDOUT ENETUNREACH", "setsockopt": "ENOPROTOOPT",
			"ppoll": "EINTR ENOMEM", "splice": "EINTR EAGAIN EINVAL EIO ECONNRESET ENOSPC", "openat": "EACCES EINTR EMFILE",
			"pipe2": "EMFILE ENFILE", "ftruncate": "EIO EINTR",
		},
	},
	{
		name: "from a file to a socket", args: []string{"in", "PEER"}, gets: true,
		calls: map[string]string{
			"splice": "EINTR EAGAIN EINVAL EPIPE ECONNRESET", "shutdown": "ENOTCONN", "ioctl": "EINVAL",
			"getsockopt": "ENOBUFS", "pipe2": "EMFILE", "sendfile": "EINVAL",
		},
	},
	{
		name: "to whoever connects", args: []string{"in", "LISTEN"}, gets: true,
		calls: map[string]string{
			"bind": "EADDRINUSE EACCES", "listen": "EADDRINUSE", "accept4": "EINTR EAGAIN ECONNABORTED EMFILE ENOBUFS",
			"fchmod": "EPERM", "getsockname": "ENOBUFS", "ppoll": "EINTR ENOMEM",
		},
	},
	{
		name: "between a socket and a command", args: []string{"--both", "PEER", "exec:cat"}, sends: true, gets: true,
		calls: map[string]string{
			"pipe2": "EMFILE", "splice": "EINTR EAGAIN EINVAL ECONNRESET", "ppoll": "EINTR ENOMEM", "wait4": "EINTR",
			"shutdown": "ENOTCONN", "fcntl": "EMFILE",
		},
	},
	{
		name: "serving a command", args: []string{"--serve", "--both", "--grace=30", "LISTEN", "exec:cat"}, sends: true, gets: true,
		calls: map[string]string{
			"epoll_ctl": "ENOMEM ENOSPC", "epoll_pwait": "EINTR",
			"accept4": "EMFILE ENFILE EPERM ENETDOWN ECONNABORTED EINTR EAGAIN", "pipe2": "EMFILE", "splice": "EINVAL EAGAIN ECONNRESET",
		},
	},
	{
		name: "between the stages of a pipeline", stages: true,
		args: []string{"run", "-f", "--", "cat", "in", ":::", "cat", ":::", "dd", "of=out", "bs=64k", "status=none"},
		calls: map[string]string{
			"pipe2": "EMFILE ENFILE", "splice": "EINTR EAGAIN EINVAL EIO ENOMEM", "ppoll": "EINTR ENOMEM", "waitid": "EINTR", "wait4": "EINTR",
		},
	},
}

func TestAFailingCallIsHealedOrReportedAmongSockets(t *testing.T) {
	needStrace(t)
	turn := 0
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			for _, call := range slices.Sorted(maps.Keys(c.calls)) {
				all := strings.Fields(c.calls[call])
				if turn++; !long {
					all = []string{all[0], all[turn%len(all)]}
				}
				if testing.Short() {
					all = all[1:]
				}
				for _, errno := range all {
					moments := []string{"1", "2"}
					if testing.Short() {
						moments = moments[:1]
					}
					if call == "epoll_ctl" { // the first is the Go runtime's, which does not bear it
						moments = []string{"2", "3", "4"}
					}
					for _, when := range moments {
						t.Run(fmt.Sprintf("%s gives %s at %s", call, errno, when), func(t *testing.T) {
							t.Parallel()
							c.fail(t, injection{call: call, errno: errno, when: when})
						})
					}
				}
			}
		})
	}
}

// fail holds the conversation with a call that fails, and judges what comes of
// it.
func (c conversation) fail(t *testing.T, i injection) {
	tools := testbin.Dir(t)
	dir, err := os.MkdirTemp("", "faults") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data := noise[:big]
	if err := os.WriteFile(filepath.Join(dir, "in"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	peer, err := net.Listen("unix", filepath.Join(dir, "peer"))
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	words := []string{"-f", "--seccomp-bpf", "-qqq", "-o", "log", "-e", "trace=" + i.call,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%s", i.call, i.errno, i.when), filepath.Join(tools, "zpipe")}
	for _, arg := range c.args {
		words = append(words, strings.NewReplacer("PEER", "unix:peer", "LISTEN", "unix-listen:s").Replace(arg))
	}
	cmd := exec.CommandContext(ctx, "strace", words...)
	cmd.Dir = dir
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = patience
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = cmd.Wait()
		peer.Close()
	}()
	var talk sync.WaitGroup
	var got []byte
	talk.Go(func() { got = c.talk(peer, dir, ended, data) })
	if c.args[0] == "--serve" {
		talk.Wait() // one connection is enough
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGTERM)
	}
	<-ended
	talk.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%v, said %q", err, &said)
	}
	if !c.gets {
		if got, err = os.ReadFile(filepath.Join(dir, "out")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	status := cmd.ProcessState.ExitCode()
	complaints := strings.ReplaceAll(said.String(), "zpipe: slowest: ", "") // of a pipeline that took a while
	silent := !strings.Contains(complaints, "zpipe: ")
	switch {
	case i.errno == "EINTR" && (status != 0 || !silent && c.args[0] != "--serve"): // whose SIGTERM cat hears, too
		t.Errorf("status %d, said %q", status, &said)
	case status == 0 && silent && !bytes.Equal(got, data):
		t.Errorf("%d of %d bytes, and not a word", len(got), len(data))
	case status != 0 && silent || status != 0 && status != 1 && !c.stages:
		t.Errorf("status %d, said %q", status, &said)
	case status == 1 && c.args[0] != "--serve" && !c.stages && !slices.Contains([]int{1, c.ways()}, strings.Count(said.String(), "\n")):
		t.Errorf("said %q", &said)
	case !bytes.HasPrefix(data, got):
		t.Errorf("%d bytes of something else", len(got))
	}
}

// ways are how many threads relay. Strace counts by thread, so that a call may
// fail in each.
func (c conversation) ways() int {
	if slices.Contains(c.args, "--both") {
		return 2
	}
	return 1
}

// talk is the test's part. It returns what it got.
func (c conversation) talk(peer net.Listener, dir string, ended chan struct{}, data []byte) (got []byte) {
	var conn *net.UnixConn
	if slices.Contains(c.args, "PEER") {
		accepted, err := peer.Accept()
		if err != nil {
			return nil // zpipe has ended before
		}
		conn = accepted.(*net.UnixConn)
	}
	for conn == nil {
		dialled, err := net.Dial("unix", filepath.Join(dir, "s"))
		if err == nil {
			conn = dialled.(*net.UnixConn)
			break
		}
		select {
		case <-ended:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
	defer conn.Close()
	var sending sync.WaitGroup
	sending.Go(func() {
		if c.sends {
			_, _ = conn.Write(data) // the verdict is about what arrives
		}
		_ = conn.CloseWrite()
	})
	if c.gets {
		got, _ = io.ReadAll(conn)
	}
	sending.Wait()
	return got
}
