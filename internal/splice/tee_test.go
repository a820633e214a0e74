package splice

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"zeroutils/internal/property"
)

func TestTeeDeliversExactlyTheSourceToEverySinkThatDoesNotFail(t *testing.T) {
	for n := 1; n <= 6; n++ {
		for _, m := range []Method{Auto, Splice, ReadWrite} {
			t.Run(fmt.Sprintf("%s to %d", m, n), property.Make(property.Usual, func(t *rapid.T) {
				s := newScene()
				drawOptions(t, s, m)
				drawSource(t, s, served[m].from)
				for range n {
					drawSink(t, s, served[m].to)
				}
				drawFaults(t, s)
				drawTee(t, s)
				sinks, r, err := s.tee()
				s.checkSecondCopy(t)
				s.checkTee(t, sinks, r, err)
			}))
		}
	}
}

var errGivenUp = errors.New("given up after a sink failed")

// drawTee draws what only a fan-out has.
func drawTee(t *rapid.T, s *scene) {
	s.giveUp = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "failures until it gives up")
	s.teeing.WatchSinks = oneIn(t, 3, "watches sinks")
	if oneIn(t, 4, "attends") {
		bell := &fakeBell{rings: rapid.IntRange(0, 5).Draw(t, "to a bell at")}
		d := s.k.add(bell, nobody, Other, unix.O_RDONLY)
		s.teeing.Event = &Event{FD: d.fd, Handle: func() error {
			bell.rings = 3
			return nil
		}}
	}
}

func (s *scene) tee() ([]*Sink, Report, error) {
	s.options.Progress = s.count
	s.teeing.SinkFailed = func(*Sink) error {
		if s.giveUp--; s.giveUp == 0 {
			return errGivenUp
		}
		return nil
	}
	var sinks []*Sink
	for _, d := range s.dst {
		sinks = append(sinks, &Sink{Descriptor: d.Descriptor})
	}
	r, err := s.copier.Tee(sinks, s.src.Descriptor, s.teeOptions())
	return sinks, r, err
}

// checkTee checks what the package promises of a fan-out that has ended.
func (s *scene) checkTee(t rapid.TB, sinks []*Sink, r Report, err error) {
	t.Helper()
	var most int64
	var by [methods]int64
	for i, sink := range sinks {
		s.checkSink(t, i, sink, r, err)
		most = max(most, sink.Delivered())
		for m, n := range sink.By {
			by[m] += n
		}
	}
	if by != r.By {
		t.Errorf("the report has %d by method, the sinks have %d", r.By, by)
	}
	if r.Delivered > most {
		t.Errorf("delivered %d bytes, but no sink has more than %d", r.Delivered, most)
	}
	if s.progress != r.Delivered {
		t.Errorf("Progress was told of %d bytes of %d", s.progress, r.Delivered)
	}
	if u, ok := err.(*UnservedError); ok && u.Method != s.options.Method {
		t.Errorf("%v, but asked for was %v", u, s.options.Method)
	} else if wrong := s.untruthful(err); !ok && err != errGivenUp && wrong != "" {
		t.Error(wrong)
	}
	s.checkKernel(t)
	if t.Failed() {
		t.Logf("report %+v, calls %v, said %v", r, s.k.calls, s.k.said)
	}
}

func (s *scene) checkSink(t rapid.TB, i int, sink *Sink, r Report, err error) {
	t.Helper()
	if wrong := s.dst[i].differs(s.src, sink.Delivered()); wrong != "" {
		t.Errorf("sink %d has %d, error %v, %v: %s", i, sink.Delivered(), err, sink.Err, wrong)
	}
	if wrong := s.dst[i].misknown(); wrong != "" {
		t.Errorf("sink %d: its %s", i, wrong)
	}
	var by int64
	for _, n := range sink.By {
		by += n
	}
	if by != sink.Delivered() {
		t.Errorf("sink %d has %d bytes, by method %d", i, sink.Delivered(), by)
	}
	if sink.Err != nil {
		if w, ok := sink.Err.(*WriteError); !ok || !s.wrote(theSink+party(i), w) {
			t.Errorf("sink %d did not say %v, but %v", i, sink.Err, s.k.said)
		}
		return
	}
	if sink.Delivered() < r.Delivered {
		t.Errorf("sink %d has %d bytes of %d", i, sink.Delivered(), r.Delivered)
	}
	if err != nil {
		return
	}
	if sink.Delivered() != r.Delivered || s.src.length >= 0 && r.Delivered != s.total() {
		t.Errorf("sink %d has %d bytes, reported %d, total %d", i, sink.Delivered(), r.Delivered, s.total())
	}
	if s.src.consumed() != r.Delivered {
		t.Errorf("took %d bytes from the source, delivered %d", s.src.consumed(), r.Delivered)
	}
}

// teeOptions are the scene's options for Tee.
func (s *scene) teeOptions() TeeOptions {
	o := s.teeing
	o.Method, o.Limit, o.Progress = s.options.Method, s.options.Limit, s.options.Progress
	return o
}
