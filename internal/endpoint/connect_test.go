package endpoint

import (
	"net"
	"path/filepath"
	"testing"

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
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
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

func TestTheFirstAddressThatAnswersIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0") // the second one of localhost
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
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
