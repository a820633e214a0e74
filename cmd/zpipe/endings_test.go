package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
	"zeroutils/internal/tool"
)

// isReset checks that all of want arrives, and then no end but a reset.
func isReset(t *testing.T, what string, c conn, want []byte) {
	t.Helper()
	got, err := io.ReadAll(c)
	if !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%s: the end was %v", what, err)
	}
	if err := same(got, want); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestASourceThatBreaksIsNoEndForTheSink(t *testing.T) {
	const size = 100_000
	for _, both := range []string{"", "--both"} {
		a, b := connectingTo(t, "tcp"), connectingTo(t, "tcp")
		p := launch(t, nil, append(strings.Fields(both), a.operand, b.operand)...)
		source, sink := accept(t, a.Listener), accept(t, b.Listener)
		if _, err := source.Write(noise[:size]); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, size)
		if _, err := io.ReadFull(sink, got); err != nil {
			t.Fatal(err)
		}
		_ = source.(*net.TCPConn).SetLinger(0)
		source.Close()
		isReset(t, "a reset "+both, sink, nil)
		p.ended(1, "zpipe: "+a.operand+": Connection reset by peer\n")
	}
}

// A reset would destroy what the peer has not read yet.
func TestWhatWasTakenIsDeliveredBeforeTheReset(t *testing.T) {
	const size = 300_000
	for _, both := range []string{"", "--both"} {
		l := connectingTo(t, "tcp")
		takeLittle(t, l.Listener.(*net.TCPListener))
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, noise[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		command := "sh:cat '" + file + "'; exit 3"
		p := launch(t, nil, append(strings.Fields(both), command, l.operand)...)
		c := accept(t, l.Listener)
		waitFor(t, "the command to end", func() bool { return len(p.children()) == 0 })
		isReset(t, "a command that fails "+both, c, noise[:size])
		p.ended(3, "zpipe: "+command+": exit status 3\n")
	}
}

func TestATimeoutIsNoEndForTheSink(t *testing.T) {
	t.Parallel()
	a, b := connectingTo(t, "tcp"), connectingTo(t, "tcp")
	p := launch(t, nil, "--timeout=0.3", a.operand, b.operand)
	source, sink := accept(t, a.Listener), accept(t, b.Listener)
	if _, err := source.Write(noise[:1000]); err != nil {
		t.Fatal(err)
	}
	isReset(t, "a timeout", sink, noise[:1000])
	isReset(t, "a timeout", source, nil)
	p.ended(1, "zpipe: "+a.operand+": Connection timed out\n")
}

func TestASinkThatBreaksIsNoEndForTheSource(t *testing.T) {
	l := connectingTo(t, "tcp")
	p := launch(t, nil, l.operand, "/dev/full")
	c := accept(t, l.Listener)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	isReset(t, "a full disk", c, nil)
	p.ended(1, "zpipe: /dev/full: No space left on device\n")
}

func TestItsOwnDeathIsNoEndForItsPeers(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		a, b := connectingTo(t, "tcp"), connectingTo(t, "tcp")
		p := launch(t, nil, a.operand, b.operand)
		source, sink := accept(t, a.Listener), accept(t, b.Listener)
		_, _ = source.Write([]byte("x"))
		if _, err := io.ReadFull(sink, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		p.signal(sig)
		isReset(t, sig.String(), sink, nil)
		p.ended(128+int(sig), "")
	}
	p := serve(t, "--both", "--grace=0", "LISTEN", "exec:cat")
	c := dial(t, "tcp", p.address())
	_, _ = c.Write([]byte("x"))
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	said := p.announced()
	p.signal(syscall.SIGTERM)
	isReset(t, "a connection that is cut off", c, nil)
	p.ended(1, said+"zpipe: connections cut off: 1\n")
}

// A command that closes its output and runs on has ended that in order.
func TestACommandInAConversationMayEndItsOutputFirst(t *testing.T) {
	t.Parallel()
	l := connectingTo(t, "tcp")
	p := launch(t, nil, "--both", l.operand, "sh:echo hello; exec >&-; cat >got")
	c := accept(t, l.Listener)
	if got := hear(t, c); string(got) != "hello\n" {
		t.Errorf("%q", got)
	}
	say(t, c, []byte("late"))
	p.ended(0, "")
	if got, err := os.ReadFile(filepath.Join(p.cmd.Dir, "got")); string(got) != "late" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestThePeersEndIsTheEndWhenStandardInputIsSilent(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, operands := range []string{"- SOCKET", "SOCKET -"} {
			t.Run(network+" "+operands, func(t *testing.T) {
				t.Parallel()
				l := connectingTo(t, network)
				p := launch(t, withPipes, words("--both "+operands, l.operand)...)
				c := accept(t, l.Listener)
				say(t, c, noise[:1000]) // and goes on listening
				if err := same(hear(t, p.stdout), noise[:1000]); err != nil {
					t.Error(err)
				}
				if got := hear(t, c); len(got) != 0 {
					t.Errorf("%q", got)
				}
				p.ended(0, "") // though standard input is open
			})
		}
	}
}

func TestStandardInputMaySpeakAfterThePeersEnd(t *testing.T) {
	l := connectingTo(t, "tcp")
	p := launch(t, withPipes, "--both", "--linger=1000", "-", l.operand)
	c := accept(t, l.Listener)
	say(t, c, []byte("first"))
	got := make([]byte, 5)
	if _, err := io.ReadFull(p.stdout, got); err != nil {
		t.Fatal(err)
	}
	_, _ = p.stdin.Write([]byte("late"))
	p.stdin.Close()
	if got := hear(t, c); string(got) != "late" {
		t.Errorf("%q", got)
	}
	p.ended(0, "")
}

func TestWhatThePeerRefusesAfterItsEndIsNoError(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		l := connectingTo(t, network)
		p := launch(t, withPipes, "--both", "--linger=1000", "-", l.operand)
		c := accept(t, l.Listener)
		_, _ = c.Write([]byte("all"))
		c.Close()
		got := make([]byte, 3)
		if _, err := io.ReadFull(p.stdout, got); err != nil || string(got) != "all" {
			t.Errorf("%s: %q, %v", network, got, err)
		}
		go func() { // not before, since what the peer has not read makes a reset of its end
			for {
				if _, err := p.stdin.Write([]byte("more")); err != nil {
					return
				}
			}
		}()
		if got := hear(t, p.stdout); len(got) > 0 {
			t.Errorf("%s: then %q", network, got)
		}
		p.ended(0, "")
	}
}

// Standard output takes nothing until the connection is reset: only then does the way
// from the peer find the end of what the peer has sent.
func TestAPeerThatEndsBeforeItsConnectionIsResetHasEndedInOrder(t *testing.T) {
	testfs.NeedPipeAllowance(t)
	t.Parallel()
	for _, tt := range []struct{ orderly, meets bool }{{true, false}, {true, true}, {false, false}, {false, true}} {
		orderly, meets := tt.orderly, tt.meets
		l := connectingTo(t, "tcp")
		full := 0
		p := launch(t, func(p *process) {
			withPipes(p)
			full = fillPipe(t, p.cmd.Stdout.(*os.File))
		}, "--both", "--linger=1000", "-", l.operand)
		c := accept(t, l.Listener)
		_, _ = c.Write([]byte("all"))
		if !orderly {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		peer := c.RemoteAddr().(*net.TCPAddr).Port
		c.Close()
		_, _ = p.stdin.Write([]byte("more"))
		waitFor(t, "the reset", func() bool { return !tcpOpen(t, peer) })
		if meets { // the way to the peer the reset, not only the other one
			_, _ = p.stdin.Write([]byte("more"))
		}
		got := hear(t, p.stdout)
		status, said := p.wait(), p.said.text()
		if orderly && (status != 0 || said != "" || string(got[full:]) != "all") {
			t.Errorf("%v: status %d, said %q, delivered %q", tt, status, said, got[full:])
		}
		if want := "zpipe: " + l.operand + ": Connection reset by peer\n"; !orderly && (status != 1 || said != want) {
			t.Errorf("%v: status %d, said %q, want %q", tt, status, said, want)
		}
	}
}

// fillPipe fills a pipe of 1 MiB, which is not made larger, and returns how many
// bytes are in it.
func fillPipe(t *testing.T, w *os.File) (n int) {
	t.Helper()
	fd := int(w.Fd())
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for {
		k, err := unix.Write(fd, noise[:4096])
		if err != nil {
			break
		}
		n += k
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	return n
}

// tcpOpen reports whether a port of 127.0.0.1 has a connection.
func tcpOpen(t *testing.T, port int) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(table), fmt.Sprintf(": 0100007F:%04X ", port))
}

// Only standard input is not waited for: a reply is, without limit.
func TestAReplyAfterTheEndOfStandardInputIsWaitedFor(t *testing.T) {
	l := connectingTo(t, "tcp")
	p := launch(t, withPipes, "--both", "--linger=0", "-", l.operand)
	c := accept(t, l.Listener)
	_, _ = p.stdin.Write([]byte("question"))
	p.stdin.Close()
	if got := hear(t, c); string(got) != "question" {
		t.Errorf("%q", got)
	}
	say(t, c, []byte("answer"))
	if got := hear(t, p.stdout); string(got) != "answer" {
		t.Errorf("%q", got)
	}
	p.ended(0, "")
}

// A limiter that sleeps for longer than the timeout is nobody's silence.
func TestBeingHeldToARateIsNoSilence(t *testing.T) {
	for _, sink := range []string{"SOCKET", "-"} {
		t.Run(sink, func(t *testing.T) {
			t.Parallel()
			l := connectingTo(t, "tcp")
			p := launch(t, withPipes, "--timeout=0.2", "-L", "2", "-", strings.Replace(sink, "SOCKET", l.operand, 1))
			_, _ = p.stdin.Write([]byte("abc"))
			p.stdin.Close()
			from := io.Reader(p.stdout)
			if sink == "SOCKET" {
				from = accept(t, l.Listener)
			}
			if got := hear(t, from); string(got) != "abc" {
				t.Errorf("%q", got)
			}
			p.ended(0, "")
		})
	}
}

func TestAFIFOThatNobodyReadsCostsAServerNoThread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, "--timeout=0.5", "LISTEN", path)
	conns := make([]conn, 200)
	for i := range conns {
		conns[i] = dial(t, "tcp", p.address())
	}
	for _, c := range conns {
		isReset(t, "a FIFO that nobody reads", c, nil)
	}
	if threads := p.status("Threads"); threads > len(conns)/2 { // a busy machine makes some
		t.Errorf("%d threads", threads)
	}
	p.signal(syscall.SIGTERM)
	if status := p.wait(); status != 0 || !strings.Contains(p.said.text(), ": "+tool.Quote(path)+": Connection timed out\n") {
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}

func TestAFIFOIsASourceOfAServerOnceItHasAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, path, "LISTEN")
	c := dial(t, "tcp", p.address())
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte("from a FIFO"))
	w.Close()
	if got := hear(t, c); string(got) != "from a FIFO" {
		t.Errorf("%q", got)
	}
	p.stop("")
}

// stat is fields of proc_pid_stat(5): parent, group and session.
func statOf(t *testing.T, pid int) (parent, group, session int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	var state string
	if _, err := fmt.Sscan(rest, &state, &parent, &group, &session); err != nil {
		t.Fatal(err)
	}
	return parent, group, session
}

func lives(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	return err == nil && rest[:1] != "Z" && rest[:1] != "X"
}

func TestACommandThatIsCutOffEndsWithItsChildrenWhateverItIgnores(t *testing.T) {
	t.Parallel()
	p := serve(t, "--both", "--grace=0.2", "LISTEN", "sh:trap '' TERM; sleep 1000 & echo $$ $!; wait")
	c := dial(t, "tcp", p.address())
	var leader, child int
	if _, err := fmt.Fscan(c, &leader, &child); err != nil {
		t.Fatal(err)
	}
	if _, group, session := statOf(t, leader); group != leader || session != leader {
		t.Errorf("the command is in group %d, session %d", group, session)
	}
	said := p.announced()
	p.signal(syscall.SIGTERM)
	p.ended(1, said+"zpipe: connections cut off: 1\n")
	waitFor(t, "both to end", func() bool { return !lives(leader) && !lives(child) })
}

func TestACommandThatIgnoresSIGTERMGivesItsPlaceBackAfterTheTimeout(t *testing.T) {
	t.Parallel()
	p := serve(t, "--both", "--timeout=0.2", "--grace=0.1", "--max-connections=1", "LISTEN", "sh:trap '' TERM; sleep 1000 & wait")
	for range 2 {
		c := dial(t, "tcp", p.address())
		isReset(t, "a timeout", c, nil)
	}
}

// As in a shell's pipeline, so that it may read the terminal; and what it has
// left behind is found.
func TestACommandOfARelayIsInItsProcessGroupAndLeavesNothing(t *testing.T) {
	t.Parallel()
	p := launch(t, withPipes, "--timeout=0.5", "--grace=1000", "sh:(sleep 1000 & echo $!) ; echo $$; exec sleep 1000", "-")
	var orphan, leader int
	if _, err := fmt.Fscan(p.stdout, &orphan, &leader); err != nil {
		t.Fatal(err)
	}
	_, ours, _ := statOf(t, p.cmd.Process.Pid)
	if _, group, _ := statOf(t, leader); group != ours {
		t.Errorf("the command is in group %d, zpipe in %d", group, ours)
	}
	if status := p.wait(); status != 1 {
		t.Errorf("status %d", status)
	}
	if lives(orphan) || lives(leader) {
		t.Errorf("the orphan %v, the command %v", lives(orphan), lives(leader))
	}
}

func TestACommandIsToldWhoHasConnected(t *testing.T) {
	t.Setenv("REMOTE_UID", "made up")
	const command = "sh:echo ${REMOTE_ADDR-none} ${REMOTE_PORT-none} ${REMOTE_UID-none}"
	p := serve(t, command, "LISTEN")
	c := dial(t, "tcp", p.address())
	host, port, _ := net.SplitHostPort(c.LocalAddr().String())
	if got, want := string(hear(t, c)), host+" "+port+" none\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.stop("")
	path := socketPath(t)
	launch(t, nil, "--serve", command, "unix-listen:"+path)
	if got, want := string(hear(t, dial(t, "unix", path))), "none none "+strconv.Itoa(os.Getuid())+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOnlyThoseWhoMayConnectAreServed(t *testing.T) {
	us, other := strconv.Itoa(os.Getuid()), strconv.Itoa(os.Getuid()+1)
	group := strconv.Itoa(os.Getgid())
	for options, served := range map[string]bool{
		",uid=" + us: true, ",uid=" + other: false, ",uid=" + other + ",uid=" + us: true,
		",gid=" + group: true, ",uid=" + other + ",gid=" + group: true, ",gid=" + strconv.Itoa(1<<30): false,
	} {
		path := socketPath(t)
		p := launch(t, nil, "--serve", "--both", "unix-listen:"+path+options, "exec:cat")
		c := dial(t, "unix", path)
		_, _ = c.Write([]byte("x"))
		n, _ := c.Read(make([]byte, 1))
		if (n == 1) != served {
			t.Errorf("%s: %d bytes", options, n)
		}
		c.Close()
		waitFor(t, "the connection to end", func() bool { return p.sockets() == 1 })
		p.signal(syscall.SIGTERM)
		want := ""
		if !served {
			want = fmt.Sprintf("zpipe: unix-listen:%s: process %d of user %s may not connect\n", path+options, os.Getpid(), us)
		}
		p.ended(0, want)
	}
}

func TestASocketThatWasInheritedIsServed(t *testing.T) {
	for operand, script := range map[string]string{
		"fd:3":             `exec "$@"`,
		"listen-fds:":      `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`,
		"listen-fds:other": `exec 4<&3; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=some:other exec "$@"`,
	} {
		l := listen(t, "tcp", "127.0.0.1:0")
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		p := launch(t, func(p *process) {
			p.cmd.ExtraFiles = []*os.File{file}
			p.cmd.Args = append([]string{"sh", "-c", script, "sh"}, p.cmd.Args...)
			p.cmd.Path = "/bin/sh"
		}, "--serve", "--both", operand, "sh:echo ${LISTEN_FDS-none}; cat")
		c := dial(t, "tcp", l.Addr().String())
		say(t, c, []byte("served"))
		if got := hear(t, c); string(got) != "none\nserved" {
			t.Errorf("%s: %q", operand, got)
		}
		p.signal(syscall.SIGTERM)
		p.ended(0, "")
	}
	p := launch(t, func(p *process) {
		p.cmd.Env = append(os.Environ(), "LISTEN_PID=1", "LISTEN_FDS=1")
	}, "--serve", "listen-fds:", "/dev/null")
	p.ended(1, "zpipe: listen-fds:: no sockets were passed: LISTEN_FDS and LISTEN_PID do not name any for this process\n")
}

func TestAServerThatIsNotThereYetIsTriedAgain(t *testing.T) {
	path := socketPath(t)
	p := launch(t, withPipes, "-", "unix:"+path+",retry=100000,interval=0.01")
	l := listen(t, "unix", path)
	c := accept(t, l)
	_, _ = p.stdin.Write([]byte("at last"))
	p.stdin.Close()
	if got := hear(t, c); string(got) != "at last" {
		t.Errorf("%q", got)
	}
	p.ended(0, "")
	os.Remove(path)
	operand := "unix:" + path + ",retry=2,interval=0"
	launch(t, nil, operand, "/dev/null").ended(1, "zpipe: "+operand+": No such file or directory\n")
}

func TestAConnectionComesFromTheAddressThatItIsTold(t *testing.T) {
	l := connectingTo(t, "tcp")
	p := launch(t, nil, "/dev/null", l.operand+",bind=127.0.0.2")
	c := accept(t, l.Listener)
	if got, _, _ := net.SplitHostPort(c.RemoteAddr().String()); got != "127.0.0.2" {
		t.Errorf("it comes from %s", got)
	}
	_ = hear(t, c)
	p.ended(0, "")
}

func TestAJournalHasSoManyLinesASecondAndCountsTheOthers(t *testing.T) {
	var said []string
	j := newJournal(func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }, 3)
	j.second = time.AfterFunc(time.Hour, j.flush) // the second lasts as long as the test wants
	for i := range 10 {
		j.say("%d", i)
	}
	j.flush()
	j.flush()
	j.say("again")
	j.flush()
	if got := strings.Join(said, " "); got != "0 1 2 messages left out: 7 again" {
		t.Errorf("%q", got)
	}
}

func TestAMemoryLimitIsThatOfAllGroupsAbove(t *testing.T) {
	write := func(root, name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root := t.TempDir()
	if _, found := cgroupLimit(root); found {
		t.Error("a limit without a group")
	}
	write(root, "proc/self/cgroup", "0::/a/b\n")
	write(root, "sys/fs/cgroup/a/b/memory.max", "max\n")
	if _, found := cgroupLimit(root); found {
		t.Error("max is no limit")
	}
	write(root, "sys/fs/cgroup/a/memory.max", "1000\n")
	if limit, found := cgroupLimit(root); limit != 1000 || !found {
		t.Error(limit, found)
	}
	root = t.TempDir()
	write(root, "proc/self/cgroup", "3:cpu,memory:/c\n2:pids:/\n")
	write(root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "77\n")
	if limit, found := cgroupLimit(root); limit != 77 || !found {
		t.Error(limit, found)
	}
}
