package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zeroutils/internal/testfs"
)

// twoHosts is a network namespace with a virtual Ethernet to another one. They
// last as long as the shell. $1 is "on" or "off", $2 an address of each family.
const twoHosts = `
	unshare -n sleep 600 & far=$!
	trap 'kill $far' EXIT
	until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
	there="nsenter -t $far -n"
	ip link add near type veth peer name far netns $far
	ip address add 10.77.0.1/24 dev near
	ip address add fd77::1/64 dev near nodad
	$there ip address add 10.77.0.2/24 dev far
	$there ip address add fd77::2/64 dev far nodad
	ip link set near up
	$there ip link set far up
	until ip -o link show near | grep -q 'state UP' && $there ip -o link show far | grep -q 'state UP'; do sleep 0.01; done
	ethtool -K near sg $1 >/dev/null
	$there zpipe "tcp-listen:$2:99" got &
	until $there ss -ltn | grep -q :99; do sleep 0.01; done
	zpipe --stats$3 data "tcp:$2:99"
	wait $!
	cmp got data
`

func TestStatisticsTellWhetherTheDeviceOfTheRouteGathers(t *testing.T) {
	testfs.NeedRoot(t)
	for _, tool := range []string{"unshare", "nsenter", "ip", "ss", "ethtool"} {
		testfs.Need(t, tool)
	}
	for _, address := range []string{"10.77.0.2", "[fd77::2]"} {
		for sg, want := range map[string][]string{
			"on":  {"0.00 CPU copies per byte\n", "zpipe: route: near gathers, no copy is made for it\n"},
			"off": {"1.00 CPU copies per byte\n", "zpipe: route: near does not gather, each byte is copied for it\n"},
		} {
			said := betweenHosts(t, sg, address, "")
			for _, want := range want {
				if !strings.Contains(said, want) {
					t.Errorf("%s, gathering %s: said %q, want %q", address, sg, said, want)
				}
			}
		}
	}
	said := betweenHosts(t, "off", "10.77.0.2", "=json")
	for _, want := range []string{`"route":{"interface":"near","gathers":false}`, fmt.Sprintf(`"cpu_copied_bytes":%d,`, 1<<20)} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	}
}

func betweenHosts(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), noise[:1<<20], 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", append([]string{"-n", "sh", "-euc", twoHosts, "sh"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func TestStatisticsTellTheRouteToThisHost(t *testing.T) {
	l := connectingTo(t, "tcp")
	p := launch(t, withPipes, "--stats", "-", l.operand)
	p.stdin.Close()
	_ = hear(t, accept(t, l.Listener))
	if status := p.wait(); status != 0 || !strings.Contains(p.said.text(), "zpipe: route: lo gathers, no copy is made for it\n") {
		t.Errorf("status %d, said %q", status, p.said.text())
	}
}
