package meter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

// beside makes displays that share a terminal, each with a name for its row.
func beside(t *testing.T, p *pty, clock *handClock, names ...string) map[string]*Display {
	t.Helper()
	displays := map[string]*Display{}
	for _, name := range names {
		d := newDisplay(Options{FD: p.fd, Interval: time.Hour, Shared: true}, func(f Frame) []string {
			if f.Last {
				return []string{name + " ended"}
			}
			return []string{name}
		}, terminalOn(p.fd), clock.now)
		if _, ok := d.screen.(*shared); !ok {
			t.Fatal("the terminal cannot be shared")
		}
		go d.follow(nil, func() {})
		displays[name] = d
	}
	return displays
}

// look feeds a window with what was written, and compares what can be read.
func (p *pty) look(t *testing.T, w *window, want ...string) {
	t.Helper()
	w.write([]byte(strings.ReplaceAll(p.all(t), "\r\n", "\n")))
	if got := w.text(); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestDisplaysOfAPipelineHaveARowEach(t *testing.T) {
	p, clock, w := newPTY(t, 80), &handClock{at: noon}, newWindow(80)
	d := beside(t, p, clock, "one", "two", "three", "four")
	d["one"].update()
	p.look(t, w, "one")
	d["two"].update()
	d["three"].update()
	p.look(t, w, "one", "two", "three")
	d["two"].update()
	d["one"].update()
	p.look(t, w, "one", "two", "three")
	d["three"].Suspend(func() { must(unix.Write(p.fd, []byte("message\n")))(t) })
	p.look(t, w, "message", "one", "two", "three")
	d["two"].Stop() // in the middle
	p.look(t, w, "message", "two ended", "one", "three")
	d["four"].update()
	d["one"].update()
	p.look(t, w, "message", "two ended", "one", "three", "four")
	d["four"].Stop() // the lowest
	p.look(t, w, "message", "two ended", "four ended", "one", "three")
	d["one"].Stop() // the highest
	p.look(t, w, "message", "two ended", "four ended", "one ended", "three")
	d["three"].Stop()
	p.look(t, w, "message", "two ended", "four ended", "one ended", "three ended")
	w.write([]byte("$"))
	p.look(t, w, "message", "two ended", "four ended", "one ended", "three ended", "$")
}

// A process that is killed leaves its row where it is, and is in nobody's way.
func TestADisplayThatIsGoneIsNotCounted(t *testing.T) {
	p, clock, w := newPTY(t, 80), &handClock{at: noon}, newWindow(80)
	d := beside(t, p, clock, "one", "two", "three")
	for _, name := range []string{"one", "two", "three"} {
		d[name].update()
	}
	p.look(t, w, "one", "two", "three")
	ok(t, unix.Close(d["three"].screen.(*shared).company.fd))
	d["two"].update()
	d["one"].update()
	p.look(t, w, "one", "one", "two")
	d["one"].Stop()
	d["two"].Stop()
	p.look(t, w, "one", "one ended", "two ended")
}

// After ^Z and fg each takes a new row, below what the shell has written.
func TestDisplaysFindEachOtherAgainAfterAStop(t *testing.T) {
	p, clock, w := newPTY(t, 80), &handClock{at: noon}, newWindow(80)
	d := beside(t, p, clock, "one", "two")
	d["one"].update()
	d["two"].update()
	clock.advance(2 * time.Hour)
	must(unix.Write(p.fd, []byte("^Z\n$ fg\n")))(t)
	d["two"].update()
	d["one"].update()
	d["two"].update()
	p.look(t, w, "one", "^Zo", "$ fg", "", "two", "one")
	d["two"].Stop()
	d["one"].Stop()
	p.look(t, w, "one", "^Zo", "$ fg", "", "two ended", "one ended")
}

// Whatever comes and goes, those that go on are together at the bottom, in the
// order in which they came, and those that have ended above.
func TestRowsOfSeveralDisplaysStayInOrder(t *testing.T) {
	p, clock := newPTY(t, 40), &handClock{at: noon}
	property.Check(t, property.Usual, func(rt *rapid.T) {
		w := newWindow(40)
		var live, done []string
		displays := map[string]*Display{}
		for n := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch step := rapid.IntRange(0, 3).Draw(rt, "step"); {
			case step == 0 || len(live) == 0:
				name := fmt.Sprintf("d%d", n)
				displays[name] = beside(t, p, clock, name)[name]
				live = append(live, name)
				displays[name].update()
			case step == 1:
				name := rapid.SampledFrom(live).Draw(rt, "who ends")
				displays[name].Stop()
				live = slices.DeleteFunc(live, func(s string) bool { return s == name })
				done = append(done, name+" ended")
			case step == 2:
				name := rapid.SampledFrom(live).Draw(rt, "who speaks")
				displays[name].Suspend(func() { must(unix.Write(p.fd, []byte("said\n")))(t) })
				done = append(done, "said")
			default:
				displays[rapid.SampledFrom(live).Draw(rt, "who draws")].update()
			}
			p.look(t, w, slices.Concat(done, live)...)
		}
		for _, name := range live {
			displays[name].Stop()
			done = append(done, name+" ended")
		}
		p.look(t, w, done...)
	})
}

func TestADisplayIsAloneWhereTheTerminalCannotBeOpenedAgain(t *testing.T) {
	if newCompany(1<<20) != nil {
		t.Error("a descriptor that is not open has company")
	}
}
