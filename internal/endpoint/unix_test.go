package endpoint

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func endpointOf(t *testing.T, text string) Endpoint {
	t.Helper()
	e, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestASocketIsPrivateWhateverTheUmask(t *testing.T) {
	defer unix.Umask(unix.Umask(0))
	path := filepath.Join(t.TempDir(), "s")
	l, err := new(Opener).Listen(endpointOf(t, "unix-listen:"+path))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	l.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestOnlyASocketThatNobodyAnswersOnIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	e := endpointOf(t, "unix-listen:"+path)
	alive, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := new(Opener).Listen(e); err != unix.EADDRINUSE {
		t.Error(l, err)
	}
	alive.(*net.UnixListener).SetUnlinkOnClose(false)
	alive.Close()
	l, err := new(Opener).Listen(e)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()

	for what, make := range map[string]func() error{
		"a file":           func() error { return os.WriteFile(path, []byte("precious"), 0o600) },
		"a directory":      func() error { return os.Mkdir(path, 0o700) },
		"a FIFO":           func() error { return unix.Mkfifo(path, 0o600) },
		"a link to a file": func() error { return os.Symlink("/etc/passwd", path) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		before, _ := os.Lstat(path)
		if l, err := new(Opener).Listen(e); err != unix.EADDRINUSE {
			t.Error(what, l, err)
		}
		if now, err := os.Lstat(path); err != nil || !os.SameFile(before, now) {
			t.Errorf("%s has gone", what)
		}
		os.Remove(path)
	}
}

// It may be waiting for a single one.
func TestWhoAsksForALivingSocketTakesNoConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	e := endpointOf(t, "unix-listen:"+path)
	alive, err := new(Opener).Listen(e)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	if l, err := new(Opener).Listen(e); err != unix.EADDRINUSE {
		t.Error(l, err)
	}
	if s, err := alive.Accept(); err != unix.EAGAIN {
		t.Error(s, err)
	}
}

func TestASocketThatAnotherHasMadeSinceIsLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := new(Opener).Listen(endpointOf(t, "unix-listen:"+path))
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	l.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestNamesOfSocketsHaveAnEnd(t *testing.T) {
	long := t.TempDir() + "/"
	for len(long) < 108 {
		long += "x"
	}
	for _, text := range []string{"unix:" + long, "unix-listen:" + long} {
		e := endpointOf(t, text)
		var err error
		if e.Listens() {
			_, err = new(Opener).Listen(e)
		} else {
			_, err = new(Opener).Open(e, AsSink)
		}
		if err != unix.ENAMETOOLONG {
			t.Error(err)
		}
	}
}

func TestAPortWithoutAHostIsForThisMachineOnly(t *testing.T) {
	for text, want := range map[string]string{
		"tcp-listen:0":           "127.0.0.1",
		"tcp-listen:localhost:0": "127.0.0.1",
		"tcp-listen:0.0.0.0:0":   "0.0.0.0",
		"tcp-listen:[::1]:0":     "::1",
		"tcp-listen:[::]:0":      "::",
	} {
		l, err := new(Opener).Listen(endpointOf(t, text))
		if err != nil {
			t.Fatal(text, err)
		}
		host, _, _ := net.SplitHostPort(l.Address)
		if host != want {
			t.Errorf("%s listens on %s", text, l.Address)
		}
		l.Close()
	}
}

func TestAListenerOfANameIsReachedAtAllItsAddresses(t *testing.T) {
	l, err := new(Opener).Listen(endpointOf(t, "tcp-listen:localhost:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Address)
	for _, address := range []string{"127.0.0.1", "::1"} {
		c, err := net.Dial("tcp", net.JoinHostPort(address, port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s := accept(t, l)
		if s.Peer != c.LocalAddr().String() {
			t.Fatal(s)
		}
		_ = s.Close()
	}
	if s, err := l.Accept(); err != unix.EAGAIN {
		t.Error(s, err)
	}
	taken := "tcp-listen:localhost:" + port // at one of them is enough
	_ = unix.Close(l.FDs[0])
	l.FDs = l.FDs[1:]
	if l, err := new(Opener).Listen(endpointOf(t, taken)); err != unix.EADDRINUSE {
		t.Error(l, err)
	}
}

func TestADescriptorOfOursIsNotTakenForAnInheritedOne(t *testing.T) {
	fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	o := Opener{Closed: func(int) bool { return false }}
	if _, err := o.Open(Endpoint{Kind: Descriptor, fd: fd}, AsSink); err != unix.EBADF {
		t.Error(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	if s, err := o.Open(Endpoint{Kind: Descriptor, fd: fd}, AsSink); err != nil || s.Out.FD != fd {
		t.Error(s, err)
	}
}

func TestTheAddressesOfAListenerTakeTurns(t *testing.T) {
	l, err := new(Opener).Listen(endpointOf(t, "tcp-listen:localhost:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if len(l.FDs) < 2 {
		t.Fatal("localhost has one address")
	}
	_, port, _ := net.SplitHostPort(l.Address)
	for _, host := range []string{"127.0.0.1", "127.0.0.1", "127.0.0.1", "::1"} {
		c, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for _, fd := range l.FDs { // every queue has one
		if n, err := Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, time.Minute); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	first, second := accept(t, l), accept(t, l)
	defer first.Abort()
	defer second.Abort()
	if a, b := strings.HasPrefix(first.Peer, "["), strings.HasPrefix(second.Peer, "["); a == b {
		t.Errorf("%s, then %s", first.Peer, second.Peer)
	}
}

// Each of several that start at the same time finds the dead socket.
func TestOneOfSeveralStartersGetsADeadSocketsPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 20 {
		dead, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		dead.(*net.UnixListener).SetUnlinkOnClose(false)
		dead.Close()
		listeners := make([]*Listener, 8)
		var starting sync.WaitGroup
		for i := range listeners {
			starting.Go(func() {
				l, err := new(Opener).Listen(Endpoint{Kind: UnixListen, path: path})
				if err != nil && err != unix.EADDRINUSE {
					t.Error(err)
				}
				listeners[i] = l
			})
		}
		starting.Wait()
		var got []*Listener
		for _, l := range listeners {
			if l != nil {
				got = append(got, l)
			}
		}
		if len(got) != 1 {
			t.Fatalf("%d have got it", len(got))
		}
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		s := accept(t, got[0])
		s.Abort()
		c.Close()
		got[0].Close()
	}
}

func TestTheFileOfASocketHasTheModeAndOwnerThatAreNamed(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077))
	path := filepath.Join(t.TempDir(), "s")
	us, group := strconv.Itoa(os.Getuid()), strconv.Itoa(os.Getgid())
	text := "unix-listen:" + path + ",mode=666,user=" + us + ",group=" + group
	if os.Geteuid() == 0 {
		text = "unix-listen:" + path + ",mode=666,user=12345,group=54321"
	}
	l, err := new(Opener).Listen(endpointOf(t, text))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Mode&0o777 != 0o666 {
		t.Errorf("mode %o, %v", st.Mode, err)
	}
	if os.Geteuid() == 0 && (st.Uid != 12345 || st.Gid != 54321) {
		t.Errorf("user %d, group %d", st.Uid, st.Gid)
	}
	for _, option := range []string{"user", "group", "uid", "gid"} {
		l, err := new(Opener).Listen(endpointOf(t, "unix-listen:"+path+"2,"+option+"=no-such-name"))
		if _, unknown := err.(*NameError); !unknown {
			t.Errorf("%s: %v, %v", option, l, err)
		}
		if _, err := os.Lstat(path + "2"); err == nil {
			t.Errorf("%s: the file is there", option)
		}
	}
	for name, want := range map[string]uint32{"root": 0, "4711": 4711} {
		if got, err := idOf("passwd", name); got != want || err != nil {
			t.Errorf("%s is %d, %v", name, got, err)
		}
	}
}
