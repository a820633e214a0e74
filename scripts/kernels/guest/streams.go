package main

import (
	"errors"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// streams moves data between pipes and sockets.
func (t *try) streams() {
	data := noise[:5<<20+12345]
	for _, via := range [][2]string{
		{"pipe", "pipe"}, {"pipe", "unix socket"}, {"unix socket", "pipe"}, {"unix socket", "unix socket"},
	} {
		for _, tool := range []string{"zcat", "zpipe", "ztee"} {
			for _, method := range []string{"auto", "splice", "readwrite"} {
				t.check(tool+" --method="+method+", "+via[0]+" to "+via[1], func() (string, error) {
					if tool == "ztee" && method != "auto" {
						return "", refusal("ztee is tried with auto")
					}
					got, err := relay(tool, method, via, data)
					return "", errors.Join(err, same(got, data))
				})
			}
		}
	}
	t.check("zpipe over TCP", func() (string, error) { return "", overTCP(data, "127.0.0.1", nil, nil) })
	t.check("ztee to files, pipes and a command's pipe", func() (string, error) {
		tool := command("sh", "-c", `zcat /tmp/many | ztee /tmp/m1 /tmp/m2 | ztee /tmp/m3 | zcat | ztee /tmp/m4 >/tmp/m5`)
		if err := os.WriteFile("/tmp/many", data, 0o600); err != nil {
			return "", err
		}
		err := tool.succeed()
		for _, name := range []string{"m1", "m2", "m3", "m4", "m5"} {
			err = errors.Join(err, holds("/tmp/"+name, data), os.Remove("/tmp/"+name))
		}
		return "", errors.Join(err, os.Remove("/tmp/many"))
	})
}

// ends returns the two ends of a pipe, or of a socket.
func ends(kind string) (r, w *os.File, err error) {
	if kind == "pipe" {
		return os.Pipe()
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w"), nil
}

// relay has a tool copy data from one kind to another.
func relay(tool, method string, via [2]string, data []byte) ([]byte, error) {
	in, feed, err := ends(via[0])
	if err != nil {
		return nil, err
	}
	read, out, err := ends(via[1])
	if err != nil {
		return nil, err
	}
	defer read.Close()
	var options []string
	if method != "auto" {
		options = []string{"--method=" + method}
	}
	p := command(tool, options...)
	p.Stdin, p.Stdout = in, out
	err = p.Start()
	in.Close()
	out.Close()
	if err != nil {
		p.stop()
		return nil, err
	}
	fed := make(chan error, 1)
	go func() {
		_, err := feed.Write(data)
		fed <- errors.Join(err, feed.Close())
	}()
	got, err := io.ReadAll(read)
	if status := p.end(); status != 0 {
		err = errors.Join(err, p.failed(status))
	}
	return got, errors.Join(err, <-fed)
}

// overTCP sends data from one zpipe to another. The prefixes have either run
// somewhere else.
func overTCP(data []byte, address string, server, client []string) error {
	listen := prefixed(server, "zpipe", "tcp-listen:"+address+":7777", "-")
	got := make(chan error, 1)
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	listen.Stdout = w
	err = listen.Start()
	w.Close()
	if err != nil {
		listen.stop()
		return err
	}
	go func() {
		all, err := io.ReadAll(r)
		got <- errors.Join(err, same(all, data))
	}()
	if err := os.WriteFile("/tmp/sent", data, 0o600); err != nil {
		return err
	}
	defer os.Remove("/tmp/sent")
	send := func() error { return prefixed(client, "zpipe", "/tmp/sent", "tcp:"+address+":7777").succeed() }
	// The other one may not listen yet.
	for range 50 {
		if err = send(); err == nil {
			break
		}
		exec.Command("sleep", "0.2").Run()
	}
	if err != nil {
		listen.Process.Kill()
	}
	if status := listen.end(); status != 0 {
		err = errors.Join(err, listen.failed(status))
	}
	return errors.Join(err, <-got)
}

func prefixed(prefix []string, words ...string) *program {
	all := append(append([]string{}, prefix...), words...)
	return command(all[0], all[1:]...)
}
