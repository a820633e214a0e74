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
	"zeroutils/internal/meter"
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
	defaultLinger      = 500 * time.Millisecond
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
	again    chan struct{} // gets something for each further signal
	spare    int           // a descriptor to refuse connections with when there are no others
	running  sync.WaitGroup
	journal  *journal    // of what goes wrong with connections
	refusals *journal    // of connections that are refused
	full     sync.Once   // says that --max-connections is reached
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
		settings: s, pool: splice.NewPool(servedPipe, servedPipes), stopped: -1, spare: -1,
		slots: make(chan struct{}, s.connections), stop: make(chan struct{}), again: make(chan struct{}),
	}
	v.journal, v.refusals = newJournal(s.inv.Warnf, mostLines), newJournal(s.inv.Warnf, 1)
	start := time.Now()
	defer v.release()
	if err := v.listen(); err != nil {
		s.newRelay(single{s}).cannotOpen(*s.listening(), "", err)
		return nil
	}
	v.show()
	v.acceptAll()
	v.listener.Close()
	v.finish()
	v.opener.Unlink() // what cut off connections have not completed
	v.journal.flush()
	v.refusals.flush()
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
	source, sink := s.opener.Waits(s.src), s.opener.Waits(s.dst)
	switch {
	case source == sink:
		return nil
	case source:
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

// release gives back what the server itself has. What cut off connections still
// wait for ends with an error.
func (v *server) release() {
	if v.poller != nil {
		v.poller.Close()
	}
	for _, fd := range []int{v.stopped, v.spare} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	v.pool.Close()
}

// stopOnSignal has the first signal stop the server in order, the second cut off
// the connections, and the third not wait for their commands.
func (v *server) stopOnSignal() {
	told := make(chan os.Signal, 3)
	signals.Notify(told, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-told
		close(v.stop)
		_, _ = unix.Write(v.stopped, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		for range told {
			v.again <- struct{}{}
		}
	}()
}

// acceptAll serves connections until the server is to stop. At most so many at
// a time: the others wait in the kernel's queue.
func (v *server) acceptAll() {
	for {
		if !v.takeSlot() {
			return
		}
		conn := v.accept()
		if conn == nil {
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

// takeSlot waits until one connection more may be open. It returns false when the
// server is to stop. The first time that it has to wait, it says so.
func (v *server) takeSlot() bool {
	select {
	case <-v.stop:
		return false
	case v.slots <- struct{}{}:
		return true
	default:
	}
	v.full.Do(func() {
		v.inv.Warnf("%s: %d connections are open, as many as --max-connections allows; others wait", named(*v.listening()), v.connections)
	})
	select {
	case <-v.stop:
		return false
	case v.slots <- struct{}{}:
		return true
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
	v.mu.Lock()
	left := v.open
	v.mu.Unlock()
	if left == 0 {
		return
	}
	v.cutOff.Store(true)
	v.inv.Errorf("connections cut off: %d", left)
	ended := make(chan struct{})
	go func() {
		v.opener.EndCommands(v.grace)
		close(ended)
	}()
	select {
	case <-ended:
	case <-v.again:
		v.opener.EndCommands(0)
	}
}

// relay serves one connection. What goes wrong with it is said, but is no
// failure of the server.
func (v *server) relay(conn *endpoint.Stream) {
	r := v.newRelay(served{v, conn})
	if v.join(r, conn) && r.begin() {
		r.run()
		r.end()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open--
	v.served++
	v.report.Add(r.report)
}

// join opens what belongs to the connection on the other side.
func (v *server) join(r *relay, conn *endpoint.Stream) bool {
	if v.listening() == &v.dst {
		r.dst = conn
		ok := r.openSource()
		if !ok {
			r.abandon(conn)
		}
		return ok
	}
	r.src = conn
	if !v.dst.Counts() {
		return r.openSink()
	}
	for { // a number whose file is there already is left out
		v.mu.Lock()
		v.number++
		r.to = v.dst.Numbered(v.number)
		v.mu.Unlock()
		var err error
		if r.dst, err = r.opener.Open(r.to, r.use(endpoint.AsSink)); err == nil {
			return true
		}
		if err != unix.EEXIST {
			r.cannotOpen(r.to, "", err)
			r.abandon(conn)
			return false
		}
	}
}

// show counts what all connections move, and draws one line for them together.
func (v *server) show() {
	m := v.monitor
	m.doing = v.state
	m.count(0)
	if m.view.on {
		m.view.withoutEnd()
		m.draw(v.rows)
	}
}

// state says how many connections there are, and how many there were.
func (v *server) state() string {
	open, ever := v.counts()
	return fmt.Sprintf("%d open, %d in all", open, ever)
}

func (v *server) counts() (open int, ever int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open, v.served + int64(v.open)
}

func (v *server) rows(f meter.Frame) []string {
	st := v.monitor.meter.State(f.Now)
	if st.Waiting {
		return nil
	}
	st.Done = f.Last
	text := v.state()
	if f.Width < roomy {
		open, ever := v.counts()
		text = fmt.Sprintf("%d/%d", open, ever)
	}
	return []string{v.monitor.view.style.Line(st, f.Width-len(text)-1) + " " + text}
}
