package endpoint

import (
	"strings"
	"testing"
)

// FuzzParse reads anything as an endpoint. What is refused is refused with a
// sentence; what is taken has what its kind needs, and means the same when it is
// written in another way.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "-", "--", "name", "a b\n", "./tcp:80", "name,append", "file:tcp:80", "file:-", "file:log,append", "file:new,append,excl",
		"file:a,b", "file:old,trunc", "file:,append", "file:a,atomic", "fd:0", "fd:63", "fd:99999999999", "unix:/run/s", "unix:@name",
		"unix-listen:a:b,mode=660,user=u,group=g", "unix:s,retry=3,interval=0.5", "unix:s,interval=1e-400", "tcp:host:80", "tcp:[::1]:80",
		"tcp:[fe80::1%lo]:80,bind=[::1]:7", "tcp6:[::1:80", "tcp-listen:0", "tcp4-listen:0.0.0.0:ssh", "listen-fds:web,uid=0,gid=0",
		"exec:a  b\tc 'd e'", "exec:a 'b", `exec:a\`, "sh:a | b; echo $c", "TCP:host:80", "http://host", "udp-x:1", ":", "file:%d,excl", "listen-fds:,uid=1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			if err.Error() == "" {
				t.Fatalf("%q is refused without a word", text)
			}
			return
		}
		if again, err := Parse(e.Text); err != nil || !equal(e, again) {
			t.Fatalf("%q is %+v, then %+v, %v", text, e, again, err)
		}
		switch e.Kind {
		case File, Unix, UnixListen:
			if e.path == "" {
				t.Fatalf("%q has no name", text)
			}
		case TCP, TCPListen:
			if e.port == 0 && e.service == "" && e.Kind == TCP || e.host == "" && e.Kind == TCP {
				t.Fatalf("%q is %+v", text, e)
			}
		case Exec, Shell:
			if len(e.argv) == 0 || strings.Join(e.argv, "") == "" {
				t.Fatalf("%q has no command", text)
			}
		case Descriptor:
			if e.fd < 0 {
				t.Fatalf("%q is descriptor %d", text, e.fd)
			}
		}
		if e.options.retries < 0 || e.options.interval < 0 || e.options.mode > 0o777 {
			t.Fatalf("%q has the options %+v", text, e.options)
		}
		if e.Kind == File {
			if e.Overwriting() != "" {
				if same, err := Parse(e.Overwriting()); err != nil || same.path != e.path {
					t.Fatalf("%q is overwritten as %q: %+v, %v", text, e.Overwriting(), same, err)
				}
			}
			if n := e.Numbered(7); n.Counts() {
				t.Fatalf("%q is %q with a number", text, n.path)
			}
		}
	})
}
