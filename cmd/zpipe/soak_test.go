package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"zeroutils/internal/property"
)

func TestDescriptorsAndMemoryStayFlat(t *testing.T) {
	connections := 2500
	if property.Long() {
		connections = 10_000
	}
	const atATime = 20
	echo := listen(t, "unix", "@"+socketPath(t))
	go echoAll(echo)
	behind := serve(t, "--both", "--stats=json", "LISTEN", "unix:"+echo.Addr().String())
	round := func(n int) {
		var clients sync.WaitGroup
		for i := range atATime {
			clients.Go(func() {
				for j := i; j < n; j += atATime {
					c := dial(t, "tcp", behind.address())
					echoes(t, c, noise[j:j+1+j%50_000])
					c.Close()
				}
			})
		}
		clients.Wait()
		waitFor(t, "the last to be closed", func() bool { return behind.sockets() == 1 })
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(behind.said.text())
		}
	})
	round(connections / 3)
	descriptors, memory := behind.descriptors(), behind.resident()
	round(connections - connections/3)
	if now := behind.descriptors(); now > descriptors {
		t.Errorf("%d descriptors have become %d", descriptors, now)
	}
	if now := behind.resident(); now > memory+memory/4+8<<20 { // a buffer of each connection would be 27 MB
		t.Errorf("%d bytes of memory have become %d", memory, now)
	}
	behind.signal(syscall.SIGTERM)
	if status := behind.wait(); status != 0 || !strings.Contains(behind.said.text(), fmt.Sprintf(`"connections":%d`, connections)) {
		t.Errorf("status %d, said %q", status, behind.said.text())
	}
}

// echoAll sends every connection what it says.
func echoAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
			_ = c.(conn).CloseWrite()
		}()
	}
}

// descriptors counts them, but for both ends of its private pipes: of these it
// keeps as many as it once had in use at a time.
func (p *process) descriptors() (n int) {
	ends := map[string]int{}
	for _, to := range p.links() {
		ends[to]++
	}
	for to, count := range ends {
		if !strings.HasPrefix(to, "pipe:") || count != 2 {
			n += count
		}
	}
	return n
}

func (p *process) sockets() (n int) {
	for _, to := range p.links() {
		if strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

func (p *process) links() (to []string) {
	p.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		p.Fatal(err)
	}
	for _, e := range entries {
		link, _ := os.Readlink(filepath.Join(dir, e.Name())) // it may have been closed
		to = append(to, link)
	}
	return to
}

// resident is the memory that zpipe has, in bytes.
func (p *process) resident() int { return p.status("VmRSS") << 10 }

func (p *process) status(field string) int {
	p.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), field+":")
	var n int
	if _, err := fmt.Sscan(rest, &n); err != nil {
		p.Fatal(err)
	}
	return n
}

func TestAThousandConnectionsAtATimeNeedNoThreadEach(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	go echoAll(l)
	p := serve(t, "--both", "--max-connections=1001", "LISTEN", "tcp:"+l.Addr().String())
	conns := make([]conn, 1000)
	for i := range conns {
		conns[i] = dial(t, "tcp", p.address())
		_, _ = conns[i].Write(noise[i : i+100])
	}
	for i, c := range conns { // every one is alive
		got := make([]byte, 100)
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		if err := same(got, noise[i:i+100]); err != nil {
			t.Fatal(err)
		}
	}
	if threads := p.status("Threads"); threads > len(conns)/8 { // a machine that was busy has some more
		t.Errorf("%d threads", threads)
	}
	t.Logf("%d threads, %d KiB, %d descriptors", p.status("Threads"), p.status("VmHWM"), p.descriptors())
	for _, c := range conns {
		echoes(t, c, noise[:10])
		c.Close()
	}
	p.stop("")
}
