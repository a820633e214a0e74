package endpoint

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEndpointsAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]Endpoint{
		"-":                       {Kind: Standard},
		"--":                      {Kind: File, path: "--"},
		"name":                    {Kind: File, path: "name"},
		"a b\n":                   {Kind: File, path: "a b\n"},
		"./tcp:80":                {Kind: File, path: "./tcp:80"},
		"/dev/disk/by:id":         {Kind: File, path: "/dev/disk/by:id"},
		"name,append":             {Kind: File, path: "name,append"},
		"file:tcp:80":             {Kind: File, path: "tcp:80", trunc: true},
		"file:-":                  {Kind: File, path: "-", trunc: true},
		"file:log,append":         {Kind: File, path: "log", append: true},
		"file:new,excl":           {Kind: File, path: "new", excl: true},
		"file:new,append,excl":    {Kind: File, path: "new", append: true, excl: true},
		"file:a,b":                {Kind: File, path: "a,b", trunc: true},
		"file:old,trunc":          {Kind: File, path: "old", trunc: true},
		"old,trunc":               {Kind: File, path: "old,trunc"},
		"file:,append,append":     {Kind: File},
		"fd:0":                    {Kind: Descriptor},
		"fd:63":                   {Kind: Descriptor, fd: 63},
		"unix:/run/s":             {Kind: Unix, path: "/run/s"},
		"unix:@name":              {Kind: Unix, path: "@name"},
		"unix-listen:a:b":         {Kind: UnixListen, path: "a:b"},
		"tcp:host:80":             {Kind: TCP, host: "host", port: 80},
		"tcp:127.0.0.1:65535":     {Kind: TCP, host: "127.0.0.1", port: 65535},
		"tcp:[::1]:80":            {Kind: TCP, host: "::1", port: 80},
		"tcp:[fe80::1%lo]:80":     {Kind: TCP, host: "fe80::1%lo", port: 80},
		"tcp-listen:8080":         {Kind: TCPListen, port: 8080},
		"tcp-listen:0":            {Kind: TCPListen},
		"tcp-listen:0.0.0.0:8080": {Kind: TCPListen, host: "0.0.0.0", port: 8080},
		"tcp-listen:[::]:8080":    {Kind: TCPListen, host: "::", port: 8080},
		"tcp:host:http":           {Kind: TCP, host: "host", service: "http"},
		"tcp-listen:x11-6":        {Kind: TCPListen, service: "x11-6"},
		"tcp-listen:[::]:ssh":     {Kind: TCPListen, host: "::", service: "ssh"},
		"exec:a  b\tc 'd e'":      {Kind: Exec, argv: []string{"a", "b", "c", "d e"}},
		"sh:a | b; echo $c":       {Kind: Shell, argv: []string{"/bin/sh", "-c", "a | b; echo $c"}},
		"TCP:host:80":             {Kind: TCP, host: "host", port: 80},
		"Tcp4:host:80":            {Kind: TCP, host: "host", port: 80, family: unix.AF_INET},
		"tcp6-listen:80":          {Kind: TCPListen, port: 80, family: unix.AF_INET6},
		"listen-fds:":             {Kind: ListenFDs},
		"listen-fds:web":          {Kind: ListenFDs, path: "web"},
		"unix:a,b":                {Kind: Unix, path: "a,b"},
		"unix:a,retry=3":          {Kind: Unix, path: "a"},
		"sh: ":                    {Kind: Shell, argv: []string{"/bin/sh", "-c", " "}},
	} {
		got, err := Parse(text)
		if strings.HasSuffix(text, ":,append,append") {
			if err == nil {
				t.Errorf("%q has no name", text)
			}
			continue
		}
		sameArgs := slices.Equal(got.argv, want.argv)
		got.argv, want.argv, want.Text = nil, nil, text
		if err != nil || !sameArgs || !equal(got, want) {
			t.Errorf("%q is %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func equal(a, b Endpoint) bool {
	return a.Kind == b.Kind && a.Text == b.Text && a.path == b.path && a.append == b.append && a.excl == b.excl && a.trunc == b.trunc &&
		a.fd == b.fd && a.family == b.family && a.host == b.host && a.port == b.port && a.service == b.service
}

func TestWhatIsNoEndpointIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "a:b", "tpc:host:80", "http://host", "10:30", ":",
		"file:", "file:,excl", "file:a,append,trunc", "fd:", "fd:x", "fd:-1", "fd:+1", "fd:99999999999", "unix:", "unix-listen:",
		"tcp:", "tcp:80", "tcp:host:", "tcp:host:0", "tcp:host:65536", "tcp::80", "tcp:[::1:80", "tcp:::1:80", "tcp:[]:80", "tcp:[fe80::1]:80", "tcp-listen:[fe80::1]:0",
		"tcp-listen:", "tcp-listen::80", "tcp-listen:-1", "tcp-listen:::80",
		"tcp:h:1,retry=", "tcp:h:1,bind=name", "tcp:h:1,no", "tcp-listen:1,bind=1.2.3.4", "unix-listen:s,mode=0", "unix:s,mode=600",
		"listen-fds:,mode=600", "unix:s,interval=-1", "unix:s,interval=NaN", "file:a,append,atomic",
		"exec:", "exec:  ", "exec:''", "exec:a 'b", "exec:\"", "exec:a\\", "sh:",
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
