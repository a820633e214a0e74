package endpoint

import (
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Neither side of a TCP connection may hold back what it was given, or wait for
// ever for a peer that has vanished.
func TestConnectionsHaveNoDelayAndAreKeptAlive(t *testing.T) {
	l, err := new(Opener).Listen(endpointOf(t, "tcp-listen:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connected, err := new(Opener).Open(endpointOf(t, "tcp:"+l.Address), AsBoth)
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	accepted := accept(t, l)
	defer accepted.Close()
	for name, s := range map[string]*Stream{"connected": connected, "accepted": accepted} {
		delay, err := unix.GetsockoptInt(s.Out.FD, unix.IPPROTO_TCP, unix.TCP_NODELAY)
		if err != nil || delay == 0 {
			t.Errorf("%s: TCP_NODELAY is %d, %v", name, delay, err)
		}
		alive, err := unix.GetsockoptInt(s.Out.FD, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
		if err != nil || alive == 0 {
			t.Errorf("%s: SO_KEEPALIVE is %d, %v", name, alive, err)
		}
	}
}

// accept returns the next connection. The kernel may tell who connects a moment
// before it tells who listens.
func accept(t *testing.T, l *Listener) *Stream {
	t.Helper()
	for {
		s, err := l.Accept()
		if err == nil {
			return s
		}
		if err != unix.EAGAIN {
			t.Fatal(err)
		}
		if n, err := Poll(l.Ready(), time.Minute); n == 0 {
			t.Fatal("nobody has connected: ", err)
		}
	}
}

func TestTheFirstAddressThatAnswersIsTaken(t *testing.T) {
	l, port := listenAtTheSecondAddress(t)
	defer l.Close()
	s, err := new(Opener).Open(endpointOf(t, "tcp:localhost:"+port), AsSink)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// listenAtTheSecondAddress listens at the second address of localhost, on a port
// that nobody can have at the first while the test lasts: it is bound there.
func listenAtTheSecondAddress(t *testing.T) (l net.Listener, port string) {
	t.Helper()
	for range 100 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		name, err := unix.Getsockname(fd)
		if err != nil {
			t.Fatal(err)
		}
		port = strconv.Itoa(name.(*unix.SockaddrInet4).Port)
		if l, err = net.Listen("tcp", "[::1]:"+port); err == nil {
			return l, port
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free at both addresses")
	return nil, ""
}

// The number may be another's by the second time.
func TestADescriptorIsClosedOnce(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed := map[int]int{}
	o := Opener{Closing: func(fd int) { closed[fd]++ }}
	for _, text := range []string{"unix:" + l.Addr().String(), "exec:cat"} {
		s, err := o.Open(endpointOf(t, text), AsBoth)
		if err != nil {
			t.Fatal(err)
		}
		clear(closed)
		s.EndInput()
		if err := s.EndOutput(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		s.Wait()
		for fd, times := range closed {
			if times != 1 {
				t.Errorf("%s: descriptor %d was closed %d times", text, fd, times)
			}
		}
		if len(closed) == 0 {
			t.Errorf("%s: nothing was closed", text)
		}
	}
}
