package main

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"zeroutils/internal/property"
)

// A client does one thing to a server that echoes, and checks what it can.
type client func(t *testing.T, c *net.TCPConn, r *rand.Rand)

var clients = []client{
	func(t *testing.T, c *net.TCPConn, r *rand.Rand) { // a whole conversation
		size := r.IntN(200_000)
		echoes(t, c, noise[size:size+r.IntN(200_000)])
	},
	func(t *testing.T, c *net.TCPConn, r *rand.Rand) { // drops in and resets
		_, _ = c.Write(noise[:r.IntN(100_000)])
		_ = c.SetLinger(0)
	},
	func(t *testing.T, c *net.TCPConn, r *rand.Rand) {}, // says nothing
	func(t *testing.T, c *net.TCPConn, r *rand.Rand) { // resets amid the answer
		n := 1 + r.IntN(100_000)
		_, _ = c.Write(noise[:n])
		got := make([]byte, r.IntN(n))
		if _, err := io.ReadFull(c, got); err != nil {
			t.Error(err)
		} else if err := same(got, noise[:len(got)]); err != nil {
			t.Error(err)
		}
		_ = c.SetLinger(0)
	},
	func(t *testing.T, c *net.TCPConn, r *rand.Rand) { // ends at once, and listens
		if err := c.CloseWrite(); err != nil {
			t.Error(err)
		}
		if got := hear(t, c); len(got) != 0 {
			t.Errorf("%d bytes from nowhere", len(got))
		}
	},
	func(t *testing.T, c *net.TCPConn, r *rand.Rand) { // dribbles
		for i := range 20 {
			got := make([]byte, 1)
			_, _ = c.Write(noise[i : i+1])
			if _, err := io.ReadFull(c, got); err != nil || got[0] != noise[i] {
				t.Errorf("byte %d: %v, %v", i, got, err)
			}
		}
	},
	func(t *testing.T, c *net.TCPConn, r *rand.Rand) { // never reads, until nothing moves
		_ = c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = c.Write(noise)
	},
}

// Whatever clients do, nothing of them stays, and the others are served.
func TestClientsThatDoAsTheyLikeLeaveNothing(t *testing.T) {
	rounds := 20
	if property.Long() {
		rounds = 1000
	}
	echo := listen(t, "tcp", "127.0.0.1:0")
	go echoAll(echo)
	for _, sink := range []string{"tcp:" + echo.Addr().String(), "exec:cat"} {
		p := serve(t, "--both", "LISTEN", sink)
		serveAll := func(seed uint64) {
			var working sync.WaitGroup
			for worker := range uint64(6) {
				working.Go(func() {
					r := rand.New(rand.NewPCG(seed, worker))
					for range rounds {
						c := dial(t, "tcp", p.address()).(*net.TCPConn)
						clients[r.IntN(len(clients))](t, c, r)
						c.Close()
					}
				})
			}
			working.Wait()
			waitFor(t, "the last to be closed", func() bool { return p.sockets() == 1 && len(p.children()) == 0 })
		}
		serveAll(1)
		descriptors, threads, memory := p.descriptors(), p.status("Threads"), p.resident()
		serveAll(2)
		waitFor(t, "descriptors to be given back", func() bool { return p.descriptors() <= descriptors })
		if now := p.status("Threads"); now > max(threads, 60) { // a busy machine makes more, but no client does
			t.Errorf("%s: %d threads have become %d", sink, threads, now)
		}
		if now := p.resident(); now > memory+memory/2+16<<20 {
			t.Errorf("%s: %d bytes of memory have become %d", sink, memory, now)
		}
		p.signal(syscall.SIGTERM)
		if status := p.wait(); status != 0 {
			t.Errorf("%s: status %d, said %q", sink, status, p.said.text())
		}
	}
}
