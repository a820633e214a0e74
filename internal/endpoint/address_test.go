package endpoint

import (
	"os"
	"testing"

	"zeroutils/internal/testfs"
)

func TestAddressesOfHosts(t *testing.T) {
	testfs.Need(t, "getent")
	var r resolver
	for host, want := range map[string]string{
		"": "127.0.0.1", "localhost": "127.0.0.1", "192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1",
	} {
		got, err := r.addresses(Endpoint{host: host}, noLimit)
		if err != nil || len(got) == 0 || got[0].String() != want {
			t.Errorf("%q is %v, %v, want %s", host, got, err, want)
		}
	}
	for _, host := range []string{"nobody.invalid", "-x"} {
		if got, err := r.addresses(Endpoint{host: host}, noLimit); err == nil {
			t.Errorf("%s is %v", host, got)
		}
	}
}

func TestWhatGetentHasSaidIsRemembered(t *testing.T) {
	testfs.Need(t, "getent")
	if _, err := os.Stat("/etc/hosts"); err != nil {
		testfs.Unavailable(t, "/etc/hosts is missing")
	}
	var r resolver
	const name = "LOCALHOST" // of /etc/hosts, by way of getent
	if got, err := r.addresses(Endpoint{host: name}, noLimit); err != nil || len(got) == 0 {
		t.Errorf("%s is %v, %v", name, got, err)
	}
	t.Setenv("PATH", "")
	if _, err := r.addresses(Endpoint{host: name}, noLimit); err != nil {
		t.Error(err)
	}
}

func TestPortsOfServices(t *testing.T) {
	testfs.Need(t, "getent")
	if _, err := os.Stat("/etc/services"); err != nil {
		testfs.Unavailable(t, "/etc/services is missing")
	}
	var r resolver
	for service, want := range map[string]uint16{"http": 80, "ssh": 22, "": 4711} {
		if got, err := r.portOf(Endpoint{service: service, port: 4711}, noLimit); got != want || err != nil {
			t.Errorf("%s is %d, %v, want %d", service, got, err, want)
		}
	}
	for _, service := range []string{"no-such-service", "tftp", "-x"} { // tftp is UDP's only
		if got, err := r.portOf(Endpoint{service: service}, noLimit); err == nil {
			t.Errorf("%s is %d", service, got)
		}
	}
}
