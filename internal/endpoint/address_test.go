package endpoint

import (
	"testing"

	"zeroutils/internal/testfs"
)

func TestAddressesOfHosts(t *testing.T) {
	testfs.Need(t, "getent")
	var r resolver
	for host, want := range map[string]string{
		"": "127.0.0.1", "localhost": "127.0.0.1", "192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1",
	} {
		got, err := r.addresses(Endpoint{host: host})
		if err != nil || len(got) == 0 || got[0].String() != want {
			t.Errorf("%q is %v, %v, want %s", host, got, err, want)
		}
	}
	const name = "LOCALHOST" // of /etc/hosts, by way of getent
	if got, err := r.addresses(Endpoint{host: name}); err != nil || len(got) == 0 {
		t.Errorf("%s is %v, %v", name, got, err)
	}
	t.Setenv("PATH", "") // it is remembered
	if _, err := r.addresses(Endpoint{host: name}); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"nobody.invalid", "-x"} {
		if got, err := r.addresses(Endpoint{host: host}); err == nil {
			t.Errorf("%s is %v", host, got)
		}
	}
}
