package endpoint

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/proc"
)

// A NameError is the failure to find the address of a host, or the port of a
// service.
type NameError struct{ Reason string }

func (e *NameError) Error() string { return e.Reason }

const loopback = "127.0.0.1"

// A resolver finds the addresses of hosts and the ports of services.
type resolver struct {
	hosts    cache[[]netip.Addr]
	services cache[uint16]
}

// A cache remembers what names stand for. Of several that ask for the same name
// at a time, one looks it up; other names do not wait for that.
type cache[T any] struct {
	mu      sync.Mutex
	answers map[string]*answer[T]
}

type answer[T any] struct {
	done  chan struct{} // closed when the others are set
	found T
	err   error
}

// get looks up a name, once until that fails or the name is forgotten. It waits
// until end, unless that is zero: ETIMEDOUT.
func (c *cache[T]) get(name string, end time.Time, lookUp func(name string, end time.Time) (T, error)) (T, error) {
	c.mu.Lock()
	a := c.answers[name]
	if a == nil {
		a = &answer[T]{done: make(chan struct{})}
		if c.answers == nil {
			c.answers = map[string]*answer[T]{}
		}
		c.answers[name] = a
		go func() {
			a.found, a.err = lookUp(name, end)
			if a.err != nil {
				c.drop(name, a)
			}
			close(a.done)
		}()
	}
	c.mu.Unlock()
	if end.IsZero() {
		<-a.done
		return a.found, a.err
	}
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	select {
	case <-a.done:
		return a.found, a.err
	case <-timer.C:
		var none T
		return none, unix.ETIMEDOUT
	}
}

// forget has a name looked up anew the next time.
func (c *cache[T]) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answers, name)
}

// drop forgets an answer, unless there is another by now.
func (c *cache[T]) drop(name string, a *answer[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers[name] == a {
		delete(c.answers, name)
	}
}

// noLimit is the end of what may take as long as it takes.
var noLimit time.Time

// resolve returns the addresses of the endpoint's host, the best first, and the
// number of its port. It waits until end, unless that is zero.
func (r *resolver) resolve(e Endpoint, end time.Time) ([]netip.Addr, uint16, error) {
	addresses, err := r.addresses(e, end)
	if err != nil {
		return nil, 0, err
	}
	port, err := r.portOf(e, end)
	return addresses, port, err
}

// addresses lists those of the endpoint's host that are of its family.
func (r *resolver) addresses(e Endpoint, end time.Time) ([]netip.Addr, error) {
	all, err := r.allAddresses(e.host, e.family, end)
	if err != nil || e.family == 0 {
		return all, err
	}
	var fit []netip.Addr
	for _, a := range all {
		if a.Is4() == (e.family == unix.AF_INET) {
			fit = append(fit, a)
		}
	}
	if len(fit) == 0 {
		return nil, unix.EAFNOSUPPORT
	}
	return fit, nil
}

func (r *resolver) allAddresses(host string, family int, end time.Time) ([]netip.Addr, error) {
	loopback4, loopback6 := netip.MustParseAddr(loopback), netip.IPv6Loopback()
	switch {
	case host == "" && family == unix.AF_INET6:
		return []netip.Addr{loopback6}, nil
	case host == "":
		return []netip.Addr{loopback4}, nil
	case host == "localhost":
		return []netip.Addr{loopback4, loopback6}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return r.hosts.get(host, end, addressesOf)
}

// portOf is the number of the endpoint's port.
func (r *resolver) portOf(e Endpoint, end time.Time) (uint16, error) {
	if e.service == "" {
		return e.port, nil
	}
	return r.services.get(e.service, end, portOfService)
}

// errNoGetent is the error of getent where there is no such program.
var errNoGetent = &NameError{"getent(1), which looks up names, is missing: give a number"}

// getent asks the C library, by way of getent(1), since what a name means is up
// to nsswitch.conf(5). Package net would read /etc/resolv.conf alone, and cost
// every start of the program 0.2 ms. What is not found is no output. The error is
// errNoGetent, ETIMEDOUT if end is over, or that of starting it.
func getent(database, key string, end time.Time) (out []byte, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	defer unix.Close(pipe[0])
	null, err := open(os.DevNull, unix.O_RDWR)
	if err != nil {
		unix.Close(pipe[1])
		return nil, err
	}
	p, err := proc.Start(proc.Command{Argv: []string{"getent", database, "--", key}, Files: [3]int{null, pipe[1], null}, Session: true})
	unix.Close(null)
	unix.Close(pipe[1])
	if err == unix.ENOENT || err == unix.EACCES {
		return nil, errNoGetent
	}
	if err != nil {
		return nil, err
	}
	defer p.Wait()
	buffer := make([]byte, 4096)
	for {
		limit := time.Duration(-1)
		if !end.IsZero() {
			limit = max(0, time.Until(end))
		}
		if n, _ := Poll([]unix.PollFd{{Fd: int32(pipe[0]), Events: unix.POLLIN}}, limit); n == 0 {
			p.End(0)
			return nil, unix.ETIMEDOUT
		}
		n, err := unix.Read(pipe[0], buffer)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return out, err
		}
		out = append(out, buffer[:n]...)
	}
}

func addressesOf(host string, end time.Time) (found []netip.Addr, err error) {
	out, err := getent("ahosts", host, end)
	if err == errNoGetent {
		return hostsFile(host)
	}
	seen := map[netip.Addr]bool{}
	for line := range bytes.Lines(out) {
		word, _, _ := strings.Cut(string(line), " ")
		if a, bad := netip.ParseAddr(word); bad == nil && !seen[a] {
			seen[a] = true
			found = append(found, a)
		}
	}
	if err == nil && len(found) == 0 {
		err = &NameError{"Name or service not known"}
	}
	return found, err
}

// hostsFile looks a name up in hosts(5). The error is errNoGetent if it is not
// there: only getent knows more.
func hostsFile(host string) (found []netip.Addr, err error) {
	text, _ := os.ReadFile("/etc/hosts") // a missing file names no host
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		for i, name := range fields {
			if i > 0 && strings.EqualFold(name, host) {
				if a, err := netip.ParseAddr(fields[0]); err == nil {
					found = append(found, a)
				}
			}
		}
	}
	if len(found) == 0 {
		return nil, errNoGetent
	}
	return found, nil
}

// portOfService reads "http 80/tcp www".
func portOfService(name string, end time.Time) (uint16, error) {
	out, err := getent("services", name+"/tcp", end)
	if err != nil {
		return 0, err
	}
	if fields := strings.Fields(string(out)); len(fields) > 1 {
		number, _, _ := strings.Cut(fields[1], "/")
		if port, err := strconv.ParseUint(number, 10, 16); err == nil {
			return uint16(port), nil
		}
	}
	return 0, &NameError{fmt.Sprintf("%s is no known service", name)}
}

// sockaddr is an address for bind(2) and connect(2), with its family.
// The error names an interface of a link-local address that is not there.
func sockaddr(a netip.Addr, port uint16) (unix.Sockaddr, int, error) {
	if a.Is4() {
		return &unix.SockaddrInet4{Port: int(port), Addr: a.As4()}, unix.AF_INET, nil
	}
	index, err := interfaceIndex(a.Zone())
	if err != nil {
		return nil, 0, err
	}
	return &unix.SockaddrInet6{Port: int(port), Addr: a.As16(), ZoneId: index}, unix.AF_INET6, nil
}

// interfaceIndex is the index of the interface that a link-local address belongs
// to, whose name or number is given; 0 if none is.
func interfaceIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	missing := &NameError{fmt.Sprintf("there is no interface %q", zone)}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		ifr, err := unix.NewIfreq("")
		if err != nil {
			return 0, err
		}
		ifr.SetUint32(uint32(n))
		if unix.IoctlIfreq(fd, unix.SIOCGIFNAME, ifr) != nil {
			return 0, missing
		}
		return uint32(n), nil
	}
	ifr, err := unix.NewIfreq(zone)
	if err != nil || unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) != nil {
		return 0, missing
	}
	return ifr.Uint32(), nil
}

// format is how people write an address.
func format(sa unix.Sockaddr) string {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)).String()
	case *unix.SockaddrInet6:
		a := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			a = a.WithZone(strconv.FormatUint(uint64(sa.ZoneId), 10))
		}
		return netip.AddrPortFrom(a, uint16(sa.Port)).String()
	case *unix.SockaddrUnix:
		return sa.Name
	}
	return ""
}

func portIn(sa unix.Sockaddr) uint16 {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return uint16(sa.Port)
	case *unix.SockaddrInet6:
		return uint16(sa.Port)
	}
	return 0
}

// socketName is a path for bind(2) and connect(2), or @ and an abstract name.
func socketName(path string) (unix.Sockaddr, error) {
	if len(path) >= len(unix.RawSockaddrUnix{}.Path) {
		return nil, unix.ENAMETOOLONG
	}
	if path == "@" || strings.IndexByte(path, 0) >= 0 {
		return nil, unix.EINVAL
	}
	return &unix.SockaddrUnix{Name: path}, nil
}

func isSocket(path string) (os.FileInfo, bool) {
	info, err := os.Lstat(path)
	return info, err == nil && info.Mode()&os.ModeSocket != 0
}
