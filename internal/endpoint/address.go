package endpoint

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
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

// A cache remembers what names stand for.
type cache[T any] struct {
	mu    sync.Mutex
	known map[string]T
}

// get looks up a name, once unless that fails.
func (c *cache[T]) get(name string, lookUp func(string) (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.known[name]; ok {
		return found, nil
	}
	found, err := lookUp(name)
	if err == nil {
		if c.known == nil {
			c.known = map[string]T{}
		}
		c.known[name] = found
	}
	return found, err
}

// addresses lists those of the endpoint's host, the best first.
func (r *resolver) addresses(e Endpoint) ([]netip.Addr, error) {
	switch {
	case e.host == "":
		return []netip.Addr{netip.MustParseAddr(loopback)}, nil
	case e.host == "localhost":
		return []netip.Addr{netip.MustParseAddr(loopback), netip.IPv6Loopback()}, nil
	}
	if a, err := netip.ParseAddr(e.host); err == nil {
		return []netip.Addr{a}, nil
	}
	return r.hosts.get(e.host, addressesOf)
}

// portOf is the number of the endpoint's port.
func (r *resolver) portOf(e Endpoint) (uint16, error) {
	if e.service == "" {
		return e.port, nil
	}
	return r.services.get(e.service, portOfService)
}

// getent asks the C library, by way of getent(1), since what a name means is up
// to nsswitch.conf(5). Package net would read /etc/resolv.conf alone, and cost
// every start of the program 0.2 ms. What is not found is no output.
func getent(database, key string) ([]byte, error) {
	cmd := exec.Command("getent", database, "--", key)
	out, err := cmd.Output()
	if cmd.Process == nil {
		return nil, &NameError{"getent(1), which looks up names, is missing: give a number"}
	}
	if err != nil {
		return nil, nil
	}
	return out, nil
}

func addressesOf(host string) (found []netip.Addr, err error) {
	out, err := getent("ahosts", host)
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

// portOfService reads "http 80/tcp www".
func portOfService(name string) (uint16, error) {
	out, err := getent("services", name+"/tcp")
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
func sockaddr(a netip.Addr, port uint16) (unix.Sockaddr, int) {
	if a.Is4() {
		return &unix.SockaddrInet4{Port: int(port), Addr: a.As4()}, unix.AF_INET
	}
	return &unix.SockaddrInet6{Port: int(port), Addr: a.As16(), ZoneId: zone(a.Zone())}, unix.AF_INET6
}

// zone is the index of the interface that a link-local address belongs to.
func zone(name string) uint32 {
	if name == "" {
		return 0
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) != nil {
		return 0
	}
	return ifr.Uint32()
}

// format is how people write an address.
func format(sa unix.Sockaddr) string {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)).String()
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
