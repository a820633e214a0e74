package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"zeroutils/internal/endpoint"
	"zeroutils/internal/poller"
	"zeroutils/internal/signals"
	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// What the connections of a server have together and each. A pipe of 64 KiB is
// what the kernel gives without asking, and 128 of them are an eighth of what a
// user may have; a thousand buffers, should no pipe be left, are 16 MiB, and
// twice that in both directions.
const (
	servedPipe   = 64 << 10
	servedPipes  = 128
	servedBuffer = 16 << 10
)

const (
	defaultConnections = 1000
	defaultGrace       = 10 * time.Second
)

// A server relays connections, each to what it opens for it alone.
type server struct {
	*settings
	listener *endpoint.Listener
	poller   *poller.Poller
	pool     *splice.Pool
	slots    chan struct{} // holds a token for each connection
	stop     chan struct{} // is closed by the first signal
	stopped  int           // an eventfd, readable when stop is closed
	again    chan struct{} // is closed by the second signal
	spare    int           // a descriptor to refuse connections with when there are no others
	running  sync.WaitGroup
	refusals throttle
	cutOff   atomic.Bool // what still goes wrong with connections is our doing

	mu     sync.Mutex // guards what follows
	number int64      // of the last counted file
	open   int        // connections
	served int64      // connections that have ended
	report splice.Report
}

// serve relays connections until a signal comes, and then those that are still
// open to their end.
func (s *settings) serve() error {
	if err := s.canServe(); err != nil {
		return err
	}
	v := &server{
		settings: s, pool: splice.NewPool(servedPipe, servedPipes), spare: -1,
		slots: make(chan struct{}, s.connections), stop: make(chan struct{}), again: make(chan struct{}),
	}
	start := time.Now()
	if err := v.listen(); err != nil {
		s.newPair().cannotOpen(*s.listening(), "", err)
		return nil
	}
	v.show()
	v.acceptAll()
	v.listener.Close()
	v.finish()
	s.monitor.stop()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Elapsed = time.Since(start)
	s.inv.PrintStats(v.report, tool.Extra{
		Key: "connections", Value: v.served,
		Lines: []string{fmt.Sprintf("connections: %d", v.served)},
	})
	return nil
}

// listening is the one of the two endpoints that waits for connections, or nil.
func (s *settings) listening() *endpoint.Endpoint {
	switch {
	case s.src.Listens() == s.dst.Listens():
		return nil
	case s.src.Listens():
		return &s.src
	}
	return &s.dst
}

func (s *settings) canServe() error {
	listening := s.listening()
	if listening == nil {
		return tool.UsageErrorf("--serve needs a source or a sink, and one only, that waits for connections")
	}
	other := s.src
	if listening == &s.src {
		other = s.dst
	}
	switch {
	case other.Kind == endpoint.Standard || other.Kind == endpoint.Descriptor:
		return tool.UsageErrorf("connections cannot share %s", tool.QuoteAlways(other.Text))
	case listening == &s.src && !other.Counts() && !other.Shareable():
		return tool.UsageErrorf("each connection needs a sink of its own: with --serve, a file has %s in its name, or ,append behind it", endpoint.Counter)
	}
	return nil
}

func (v *server) listen() (err error) {
	time.Sleep(time.Nanosecond) // the runtime makes descriptors for its first timer, and dies without
	if v.poller, err = poller.New(); err != nil {
		return err
	}
	if v.stopped, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return err
	}
	v.stopOnSignal()
	v.monitor.answer()
	v.opener.Poll, v.opener.Closing, v.opener.Detached = v.poller.Poll, v.poller.Forget, true
	if v.inv.Flags.String("pipe-size") == "" {
		v.opener.PipeSize = 0
	}
	if v.listener, err = v.opener.Listen(*v.listening()); err != nil {
		return err
	}
	if v.listener.ChosenPort() {
		v.inv.Warnf("listening on %s", v.listener.Address)
	}
	v.keepSpare()
	return nil
}

// stopOnSignal has the first signal stop the server in order, and the second at
// once.
func (v *server) stopOnSignal() {
	told := make(chan os.Signal, 2)
	signals.Notify(told, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-told
		close(v.stop)
		_, _ = unix.Write(v.stopped, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-told
		close(v.again)
	}()
}

// acceptAll serves connections until the server is to stop. At most so many at
// a time: the others wait in the kernel's queue.
func (v *server) acceptAll() {
	for {
		select {
		case <-v.stop:
			return
		case v.slots <- struct{}{}:
		}
		conn := v.accept()
		if conn == nil {
			<-v.slots
			return
		}
		v.mu.Lock()
		v.open++
		v.mu.Unlock()
		v.running.Go(func() {
			v.relay(conn)
			<-v.slots
		})
	}
}

// finish waits for the connections that are open, until the grace is over.
func (v *server) finish() {
	done := make(chan struct{})
	go func() {
		v.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-v.again:
	case <-time.After(v.grace):
	}
	if left := len(v.slots); left > 0 {
		v.cutOff.Store(true)
		v.inv.Errorf("connections cut off: %d", left)
		v.opener.EndCommands(v.grace)
	}
}

// relay serves one connection. What goes wrong with it is said, but is no
// failure of the server.
func (v *server) relay(conn *endpoint.Stream) {
	p := v.newPair()
	p.served, p.poll, p.complain = conn, v.poller.Poll, v.complainOf
	p.copier = func() *splice.Copier {
		c := splice.New()
		c.Pool, c.BufferSize = v.pool, servedBuffer
		return c
	}
	if v.join(p, conn) && p.begin() {
		p.run()
		p.end()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open--
	v.served++
	v.report.Add(p.report)
}

// complainOf says what goes wrong with a connection.
func (v *server) complainOf(format string, args ...any) {
	if !v.cutOff.Load() {
		v.inv.Warnf(format, args...)
	}
}

// join opens what belongs to the connection on the other side.
func (v *server) join(p *pair, conn *endpoint.Stream) bool {
	if !v.src.Listens() {
		p.dst = conn
		ok := p.openSource()
		if !ok {
			p.abandon(conn)
		}
		return ok
	}
	p.src = conn
	if !v.dst.Counts() {
		return p.openSink()
	}
	for { // a number whose file is there already is left out
		v.mu.Lock()
		v.number++
		p.to = v.dst.Numbered(v.number)
		v.mu.Unlock()
		var err error
		if p.dst, err = p.opener.Open(p.to, p.use(endpoint.AsSink)); err == nil {
			return true
		}
		if err != unix.EEXIST {
			p.cannotOpen(p.to, "", err)
			p.abandon(conn)
			return false
		}
	}
}
