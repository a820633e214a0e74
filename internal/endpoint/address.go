package endpoint

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A NameError is the failure to find the address of a host.
type NameError struct{ Reason string }

func (e *NameError) Error() string { return e.Reason }

const loopback = "127.0.0.1"

// A resolver finds addresses, and remembers those of names.
type resolver struct {
	mu    sync.Mutex
	known map[string][]netip.Addr
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
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.known[e.host]; ok {
		return found, nil
	}
	found, err := lookUp(e.host)
	if err == nil {
		if r.known == nil {
			r.known = map[string][]netip.Addr{}
		}
		r.known[e.host] = found
	}
	return found, err
}

// lookUp asks the C library, by way of getent(1), since what a name means is
// up to nsswitch.conf(5). Package net would read /etc/resolv.conf alone, and
// cost every start of the program 0.2 ms.
func lookUp(host string) ([]netip.Addr, error) {
	cmd := exec.Command("getent", "ahosts", "--", host)
	out, err := cmd.Output()
	if cmd.Process == nil {
		return nil, &NameError{"getent(1), which looks up names, is missing: give an address"}
	}
	var found []netip.Addr
	seen := map[netip.Addr]bool{}
	for line := range bytes.Lines(out) {
		word, _, _ := strings.Cut(string(line), " ")
		if a, bad := netip.ParseAddr(word); bad == nil && !seen[a] {
			seen[a] = true
			found = append(found, a)
		}
	}
	if err != nil || len(found) == 0 {
		return nil, &NameError{"Name or service not known"}
	}
	return found, nil
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
