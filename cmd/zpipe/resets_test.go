package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A moment is a state that a relay has been brought to when a peer resets.
type moment struct {
	name string
	// reach brings it about. It returns what the sink has read.
	reach  func(t *testing.T, source, sink conn) (read int)
	both   bool   // for --both only
	told   string // who has been told an end, and finds out about a reset only by writing
	writes bool   // the source goes on writing, and so may find out in that way
}

// passed has n bytes go from the source to the sink.
func passed(n int) moment {
	return moment{name: fmt.Sprintf("after %d bytes", n), reach: func(t *testing.T, source, sink conn) int {
		if n > 0 { // a write of nothing, too, notices a reset, so that a read does not
			go func() { _, _ = source.Write(noise[:n]) }()
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(sink, got); err != nil {
			t.Fatal(err)
		}
		if err := same(got, noise[:n]); err != nil {
			t.Fatal(err)
		}
		return n
	}}
}

var moments = []moment{
	passed(0), passed(1), passed(1 << 16), passed(1 << 20),
	{name: "while it delivers", writes: true, reach: func(t *testing.T, source, sink conn) int {
		go func() {
			for from := 0; ; from = (from + 1<<16) % len(noise) { // it ends with the connection
				if _, err := source.Write(noise[from : from+1<<16]); err != nil {
					return
				}
			}
		}()
		if _, err := io.ReadFull(sink, make([]byte, 1<<18)); err != nil {
			t.Fatal(err)
		}
		return 1 << 18
	}},
	{name: "while the sink does not read", reach: func(t *testing.T, source, _ conn) int {
		for from := 0; ; from = (from + 1<<16) % len(noise) {
			_ = source.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			if _, err := source.Write(noise[from : from+1<<16]); err != nil {
				return 0
			}
		}
	}},
	{name: "after the end of the sink's way", both: true, told: "source", reach: func(t *testing.T, source, sink conn) int {
		if err := sink.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		hear(t, source)
		return 0
	}},
	{name: "after the end of the source's way", both: true, told: "sink", reach: func(t *testing.T, source, sink conn) int {
		say(t, source, noise[:1000])
		hear(t, sink)
		return 1000
	}},
}

// At whatever moment a peer resets, the other one has what was taken and then
// no end, but a reset; it is reported once, and a server goes on.
func TestAPeerThatResetsAtAnyMomentIsNoEnd(t *testing.T) {
	for _, how := range []string{"", "--both", "--serve", "--serve --both"} {
		for _, m := range moments {
			if m.both && !strings.Contains(how, "--both") {
				continue
			}
			for _, who := range []string{"source", "sink"} {
				t.Run(fmt.Sprintf("%s/%s resets %s", how, who, m.name), func(t *testing.T) {
					t.Parallel()
					resetAt(t, strings.Fields(how), m, who)
				})
			}
		}
	}
}

func resetAt(t *testing.T, options []string, m moment, who string) {
	behind := connectingTo(t, "tcp")
	serving := slices.Contains(options, "--serve")
	var p *process
	var source conn
	from := ""
	if serving {
		p = launch(t, nil, append(options, "tcp-listen:0", behind.operand)...)
		source = dial(t, "tcp", p.address())
		from = p.announced()
	} else {
		front := connectingTo(t, "tcp")
		p = launch(t, nil, append(options, front.operand, behind.operand)...)
		source = accept(t, front.Listener)
		from = "zpipe: " + front.operand
	}
	sink := accept(t, behind.Listener)
	read := m.reach(t, source, sink)
	reset, other, survivor := source, sink, "sink"
	if who == "sink" {
		reset, other, survivor = sink, source, "source"
	}
	_ = reset.(*net.TCPConn).SetLinger(0)
	reset.Close()
	_ = other.SetDeadline(time.Now().Add(enough))
	if m.told == survivor {
		for {
			if _, err := other.Write(noise[:1<<16]); err != nil {
				break
			}
		}
	} else {
		endsInReset(t, other, survivor == "sink", read, survivor == "source" && m.writes)
	}
	if !serving {
		status, said := p.wait(), p.said.text()
		who := from
		if reset == sink {
			who = "zpipe: " + behind.operand
		}
		if status != 1 || said != who+": Connection reset by peer\n" && said != who+": Broken pipe\n" {
			t.Errorf("status %d, said %q", status, said)
		}
		return
	}
	again := dial(t, "tcp", p.address()) // the server goes on
	say(t, again, []byte("again"))
	next := accept(t, behind.Listener)
	if got := hear(t, next); string(got) != "again" {
		t.Errorf("the next one is told %q", got)
	}
	next.Close()
	again.Close()
	p.signal(syscall.SIGTERM)
	p.wait()
	said := strings.TrimPrefix(p.said.text(), from)
	if strings.Count(said, "\n") != 1 || !strings.HasSuffix(said, ": Connection reset by peer\n") && !strings.HasSuffix(said, ": Broken pipe\n") {
		t.Errorf("it said %q", said)
	}
}

// endsInReset reads what is left to a reset. With data, it is what the source
// has sent, of which so much was read before. A reset that a write has noticed is
// an end for a read.
func endsInReset(t *testing.T, c conn, data bool, before int, writes bool) {
	t.Helper()
	got, err := io.ReadAll(c)
	if !errors.Is(err, unix.ECONNRESET) && !(writes && err == nil) {
		t.Errorf("after %d bytes the end was %v", len(got), err)
	}
	if !data && len(got) > 0 {
		t.Errorf("the source is told %d bytes", len(got))
	}
	for at := 0; data && at < len(got); {
		from := (before + at) % len(noise)
		n := min(len(got)-at, len(noise)-from)
		if err := same(got[at:at+n], noise[from:from+n]); err != nil {
			t.Fatal(err)
		}
		at += n
	}
}
