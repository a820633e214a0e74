package endpoint

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"zeroutils/internal/splice"
)

// A Route is where a TCP connection leaves this host.
type Route struct {
	// Interface is the name of the network device: "eth0".
	Interface string
	// Gathers reports whether the device reads a packet from several places in
	// memory (ethtool's scatter-gather). If it does not, the kernel copies
	// what sendfile and splice give it by reference.
	Gathers bool
}

// Route asks the kernel how the packets of a TCP connection leave. ok is false
// for all other streams, and where the kernel does not say.
func (s *Stream) Route() (r Route, ok bool) {
	if s.Out == nil || s.Out.Kind != splice.Socket {
		return r, false
	}
	peer, err := unix.Getpeername(s.Out.FD)
	if err != nil {
		return r, false
	}
	var index uint32
	switch sa := peer.(type) {
	case *unix.SockaddrInet4:
		index, err = routeTo(unix.AF_INET, sa.Addr[:])
	case *unix.SockaddrInet6:
		if index, err = sa.ZoneId, nil; index == 0 {
			index, err = routeToInet6(sa.Addr)
		}
	default:
		return r, false
	}
	if err != nil {
		return r, false
	}
	r, err = deviceOf(index)
	return r, err == nil
}

// routeToInet6 knows that an IPv4 address may be inside.
func routeToInet6(a [16]byte) (uint32, error) {
	if mapped := [12]byte{10: 0xff, 11: 0xff}; [12]byte(a[:12]) == mapped {
		return routeTo(unix.AF_INET, a[12:])
	}
	return routeTo(unix.AF_INET6, a[:])
}

// routeTo returns the index of the device that packets to an address leave by:
// RTM_GETROUTE of rtnetlink(7).
func routeTo(family byte, address []byte) (uint32, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, routeRequest(family, address), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return 0, err
	}
	return outputDevice(answer[:n])
}

func routeRequest(family byte, address []byte) []byte {
	const size = unix.SizeofNlMsghdr + unix.SizeofRtMsg + unix.SizeofRtAttr
	b := make([]byte, 0, size+len(address))
	b = binary.NativeEndian.AppendUint32(b, uint32(size+len(address)))
	b = binary.NativeEndian.AppendUint16(b, unix.RTM_GETROUTE)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, unix.SizeofNlMsghdr-8)...)
	b = append(b, family, byte(8*len(address))) // rtm_dst_len, in bits
	b = append(b, make([]byte, unix.SizeofRtMsg-2)...)
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(address)))
	b = binary.NativeEndian.AppendUint16(b, unix.RTA_DST)
	return append(b, address...)
}

// outputDevice finds RTA_OIF in an answer. ENOENT if it has none: there is no
// route.
func outputDevice(b []byte) (uint32, error) {
	const head = unix.SizeofNlMsghdr + unix.SizeofRtMsg
	if len(b) < head || binary.NativeEndian.Uint16(b[4:]) != unix.RTM_NEWROUTE {
		return 0, unix.ENOENT
	}
	for b = b[head:]; len(b) >= unix.SizeofRtAttr; {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[2:]) == unix.RTA_OIF && size == unix.SizeofRtAttr+4 {
			return binary.NativeEndian.Uint32(b[4:]), nil
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return 0, unix.ENOENT
}

// deviceOf asks a network device for its name and whether it gathers
// (SIOCETHTOOL with ETHTOOL_GSG, which needs no privilege).
func deviceOf(index uint32) (r Route, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return r, err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("none")
	if err != nil {
		return r, err
	}
	ifr.SetUint32(index)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFNAME, ifr); err != nil {
		return r, err
	}
	r.Interface = ifr.Name()
	r.Gathers, err = gathers(fd, r.Interface)
	return r, err
}

// gathers is struct ethtool_value in a struct ifreq, neither of which x/sys has
// a call for.
func gathers(fd int, device string) (bool, error) {
	value := struct{ command, data uint32 }{command: unix.ETHTOOL_GSG}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		rest [24 - unsafe.Sizeof(uintptr(0))]byte // of the union
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:unix.IFNAMSIZ-1], device)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return false, errno
	}
	return value.data != 0, nil
}
