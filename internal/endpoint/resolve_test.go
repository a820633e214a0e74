package endpoint

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/testfs"
)

func TestALookUpIsMadeOnceAtATimeAndHoldsUpNoOther(t *testing.T) {
	var c cache[int]
	begun, goOn := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	slow := func(string, time.Time) (int, error) {
		calls.Add(1)
		close(begun)
		<-goOn
		return 1, nil
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if n, err := c.get("slow", noLimit, slow); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
	<-begun
	if n, err := c.get("fast", noLimit, func(string, time.Time) (int, error) { return 2, nil }); n != 2 || err != nil {
		t.Error(n, err)
	}
	if _, err := c.get("slow", time.Now(), slow); err != unix.ETIMEDOUT {
		t.Error(err)
	}
	waiting.Go(func() {
		if n, err := c.get("slow", noLimit, slow); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
	close(goOn)
	waiting.Wait()
	if n := calls.Load(); n != 1 {
		t.Errorf("%d look-ups", n)
	}
}

func TestAnAnswerIsRememberedUntilItIsOfNoUse(t *testing.T) {
	var c cache[int]
	calls := 0
	lookUp := func(string, time.Time) (int, error) {
		calls++
		if calls == 1 {
			return 0, unix.EIO
		}
		return calls, nil
	}
	for i, want := range []int{0, 2, 2, 3} {
		if i == 3 {
			c.forget("a")
		}
		if got, err := c.get("a", noLimit, lookUp); got != want || (err != nil) != (i == 0) {
			t.Errorf("%d: %d, %v", i, got, err)
		}
	}
}

func TestALookUpKeepsToItsTime(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/getent", []byte("#!/bin/sh\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	o := Opener{Timeout: 100 * time.Millisecond}
	if _, err := o.Open(endpointOf(t, "tcp:somebody.invalid:1"), AsSink); err != unix.ETIMEDOUT {
		t.Error(err)
	}
}

func TestWithoutGetentTheHostsFileIsRead(t *testing.T) {
	if _, err := os.Stat("/etc/hosts"); err != nil {
		testfs.Unavailable(t, "/etc/hosts is missing")
	}
	t.Setenv("PATH", t.TempDir())
	var r resolver
	if got, err := r.addresses(Endpoint{host: "LocalHost"}, noLimit); err != nil || len(got) == 0 || !got[0].IsLoopback() {
		t.Error(got, err)
	}
	if got, err := r.addresses(Endpoint{host: "nobody.invalid"}, noLimit); err != errNoGetent {
		t.Error(got, err)
	}
}

func TestTheFamilyThatIsNamedIsTaken(t *testing.T) {
	for text, want := range map[string]string{
		"tcp4:localhost:1": "127.0.0.1", "tcp6:localhost:1": "::1", "tcp6-listen:1": "::1", "TCP4-LISTEN:1": "127.0.0.1",
	} {
		var r resolver
		got, _, err := r.resolve(endpointOf(t, text), noLimit)
		if err != nil || len(got) != 1 || got[0].String() != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	var r resolver
	if got, _, err := r.resolve(endpointOf(t, "tcp4:[::1]:1"), noLimit); err != unix.EAFNOSUPPORT {
		t.Error(got, err)
	}
}

func TestAZoneIsAnInterfaceByNameOrNumber(t *testing.T) {
	for _, text := range []string{"fe80::1%1", "fe80::1%lo"} {
		sa, _, err := sockaddr(netip.MustParseAddr(text), 80)
		if err != nil {
			t.Fatal(err)
		}
		if got := sa.(*unix.SockaddrInet6).ZoneId; got != 1 { // of lo, in every network namespace
			t.Errorf("%s: zone %d", text, got)
		}
	}
	for _, zone := range []string{"no-such", "4000000000", "0", "a-name-that-is-too-long"} {
		_, _, err := sockaddr(netip.MustParseAddr("fe80::1%"+zone), 80)
		if want := fmt.Sprintf("there is no interface %q", zone); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A link-local address of this machine is reached by the number of its interface
// and by its name, and a listener says which interface it is at.
func TestLinkLocalAddressesAreReached(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	tried := false
	for _, i := range interfaces {
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			a, ok := a.(*net.IPNet)
			if !ok || a.IP.To4() != nil || !a.IP.IsLinkLocalUnicast() || i.Flags&net.FlagUp == 0 {
				continue
			}
			tried = true
			for _, zone := range []string{i.Name, strconv.Itoa(i.Index)} {
				l, err := new(Opener).Listen(endpointOf(t, fmt.Sprintf("tcp-listen:[%s%%%s]:0", a.IP, zone)))
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("[%s%%%d]:", a.IP, i.Index); !strings.HasPrefix(l.Address, want) {
					t.Errorf("it listens at %s, want %s", l.Address, want)
				}
				s, err := new(Opener).Open(endpointOf(t, "tcp:"+l.Address), AsBoth)
				if err != nil {
					t.Fatal(err)
				}
				s.Close()
				l.Close()
			}
		}
	}
	if !tried {
		testfs.Unavailable(t, "no interface has a link-local address")
	}
}

// The second address of localhost may not be there at all, and says so.
func TestTheErrorIsThatOfTheFirstAddress(t *testing.T) {
	o := Opener{}
	o.hosts.answers = map[string]*answer[[]netip.Addr]{}
	known := &answer[[]netip.Addr]{done: make(chan struct{}), found: []netip.Addr{
		netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("fe80::1%no-such"),
	}}
	close(known.done)
	o.hosts.answers["both"] = known
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil { // and nobody listens
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	e := endpointOf(t, "tcp:both:1")
	e.port = uint16(name.(*unix.SockaddrInet4).Port)
	if _, err := o.Open(e, AsSink); err != unix.ECONNREFUSED {
		t.Error(err)
	}
	if len(o.hosts.answers) != 0 {
		t.Error("the addresses that do not answer are remembered")
	}
}
