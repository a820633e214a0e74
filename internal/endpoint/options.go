package endpoint

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what stands behind an endpoint, each after a comma.
type options struct {
	atomic bool // a sink's file appears when it is complete

	retries  int // further attempts to connect
	interval time.Duration
	bind     netip.AddrPort // where a TCP connection comes from, if valid

	uids, gids  []string // who may connect to a unix socket
	mode        uint32   // of its file; 0 is 0600
	user, group string   // that own it; "" leaves that alone
}

// defaultInterval is the time between two attempts to connect.
const defaultInterval = time.Second

// An option is read from its value.
type option struct {
	kinds []Kind // that have it
	read  func(o *options, value string) error
}

// knownOptions are those with a value, by name.
var knownOptions = map[string]option{
	"retry": {[]Kind{Unix, TCP}, func(o *options, value string) error {
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return fmt.Errorf("%q is not a number of attempts", value)
		}
		o.retries = int(n)
		return nil
	}},
	"interval": {[]Kind{Unix, TCP}, func(o *options, value string) error {
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds >= 0 && seconds <= 1e6) {
			return fmt.Errorf("%q is not a number of seconds", value)
		}
		o.interval = time.Duration(seconds * float64(time.Second))
		return nil
	}},
	"bind": {[]Kind{TCP}, readBind},
	"uid":  {[]Kind{UnixListen, ListenFDs}, func(o *options, value string) error { o.uids = append(o.uids, value); return nil }},
	"gid":  {[]Kind{UnixListen, ListenFDs}, func(o *options, value string) error { o.gids = append(o.gids, value); return nil }},
	"mode": {[]Kind{UnixListen}, func(o *options, value string) error {
		n, err := strconv.ParseUint(value, 8, 32)
		if err != nil || n == 0 || n > 0o777 {
			return fmt.Errorf("%q is not a mode such as 660", value)
		}
		o.mode = uint32(n)
		return nil
	}},
	"user":  {[]Kind{UnixListen}, func(o *options, value string) error { o.user = value; return nil }},
	"group": {[]Kind{UnixListen}, func(o *options, value string) error { o.group = value; return nil }},
}

// readBind reads ADDRESS or ADDRESS:PORT, with an IPv6 address in brackets if
// there is a port.
func readBind(o *options, value string) error {
	if a, err := netip.ParseAddr(strings.Trim(value, "[]")); err == nil {
		o.bind = netip.AddrPortFrom(a, 0)
		return nil
	}
	a, err := netip.ParseAddrPort(value)
	if err != nil {
		return fmt.Errorf("%q is not an address to come from", value)
	}
	o.bind = a
	return nil
}

// cutOptions takes the options off the end of a name. What looks like none is
// part of the name.
func (e *Endpoint) cutOptions(rest string) (name string, err error) {
	e.options.interval = defaultInterval
	for {
		i := strings.LastIndexByte(rest, ',')
		if i < 0 {
			return rest, nil
		}
		word, value, hasValue := strings.Cut(rest[i+1:], "=")
		o, known := knownOptions[strings.ToLower(word)]
		if !known || !hasValue {
			return rest, nil
		}
		if !slices.Contains(o.kinds, e.Kind) {
			return "", fmt.Errorf("there is no option %q here", word)
		}
		if value == "" {
			return "", fmt.Errorf("the value of %q is missing", word)
		}
		if err := o.read(&e.options, value); err != nil {
			return "", err
		}
		rest = rest[:i]
	}
}

// insteadOf says what to use for a word that begins an endpoint of other
// programs, socat(1) above all; "" if it is none.
func insteadOf(word string) string {
	for _, w := range absent {
		for _, prefix := range w.words {
			if word == prefix || strings.HasPrefix(word, prefix+"-") {
				return w.instead
			}
		}
	}
	return ""
}

var absent = []struct {
	words   []string
	instead string
}{
	{[]string{"udp", "udp4", "udp6", "udplite", "ip", "ip4", "ip6", "sctp", "dccp", "vsock", "interface", "tun", "posixmq"},
		"zpipe relays byte streams only; for datagrams and other protocols use socat(1)"},
	{[]string{"openssl", "ssl", "tls", "wss"},
		"zpipe does not encrypt; use exec:'openssl s_client -quiet -verify_return_error -connect HOST:PORT'"},
	{[]string{"pty", "tty"},
		"zpipe makes no terminal; use exec:'script -qec COMMAND /dev/null'"},
	{[]string{"proxy", "socks", "socks4", "socks4a", "socks5"},
		"zpipe speaks to no proxy; use exec:'nc -X 5 -x PROXY:PORT HOST PORT'"},
	{[]string{"http", "https", "ftp", "ftps", "ws"},
		"zpipe fetches nothing; use exec:'curl -sSf URL'"},
	{[]string{"ssh", "sftp", "rsync"},
		"zpipe logs in nowhere; use exec:'ssh HOST COMMAND'"},
	{[]string{"tcp4-connect", "tcp6-connect", "tcp-connect", "unix-connect", "unix-client"},
		"to connect, write tcp:HOST:PORT or unix:PATH"},
	{[]string{"abstract"}, "an abstract socket is unix:@NAME or unix-listen:@NAME"},
	{[]string{"unix-sendto", "unix-recv", "unix-recvfrom", "socketpair"}, "zpipe relays byte streams only; for datagrams use socat(1)"},
	{[]string{"system", "shell", "cmd"}, "a command line for the shell is sh:COMMAND LINE"},
	{[]string{"open", "gopen", "create", "creat"}, "a file is file:PATH, with ,append or ,excl or ,atomic behind it"},
	{[]string{"stdio", "stdin", "stdout"}, "standard input and output are -"},
	{[]string{"stderr"}, "standard error is fd:2"},
	{[]string{"pipe", "fifo"}, "a FIFO is its PATH"},
}
