package main

import "errors"

// network has zpipe send through a network that loses and delays packets.
func (t *try) network() {
	t.must(t.load("veth", "sch_netem"))
	t.must(run("ip", "netns", "add", "far"))
	t.cleanup(func() {
		if err := run("ip", "netns", "del", "far"); err != nil {
			t.fault("removing the network", "%v", err)
		}
	})
	t.must(errors.Join(
		run("ip", "link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", "far"),
		run("ip", "addr", "add", "10.9.8.1/24", "dev", "near0"),
		run("ip", "link", "set", "near0", "up"),
		run("ip", "-n", "far", "addr", "add", "10.9.8.2/24", "dev", "far0"),
		run("ip", "-n", "far", "link", "set", "far0", "up"),
		run("ip", "-n", "far", "link", "set", "lo", "up"),
	))
	far := []string{"ip", "netns", "exec", "far"}
	data := noise[:2<<20+77]
	t.check("zpipe over veth", func() (string, error) { return "", overTCP(data, "10.9.8.2", far, nil) })
	for _, bad := range [][]string{{"loss", "3%"}, {"delay", "20ms", "5ms"}, {"duplicate", "5%", "delay", "5ms", "3ms", "reorder", "20%"}} {
		t.must(run("tc", append([]string{"qdisc", "replace", "dev", "near0", "root", "netem"}, bad...)...))
		t.check("zpipe over veth with "+bad[0], func() (string, error) { return "", overTCP(data, "10.9.8.2", far, nil) })
	}
}
