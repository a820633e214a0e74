package main

import (
	"strconv"
	"time"
)

// stalls says when nothing has passed for a while, and when it goes on. Nil is
// one that does not look.
type stalls struct {
	monitor *monitor
	done    chan struct{}
	ended   chan struct{}
	seen    int64     // bytes that had passed when that was last looked at
	since   time.Time // when the last of them was seen to have passed
	said    bool      // that nothing passes
}

func watchForStalls(m *monitor) *stalls {
	if m.flow.stall <= 0 {
		return nil
	}
	s := &stalls{monitor: m, since: time.Now(), done: make(chan struct{}), ended: make(chan struct{})}
	go s.watch()
	return s
}

// looks is how often a stall is looked for while it could come to be one.
const looks = 4

func (s *stalls) watch() {
	defer close(s.ended)
	ticker := time.NewTicker(max(s.monitor.flow.stall/looks, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			if s.said { // and it went on only to end
				s.look(time.Now(), s.monitor.meter.Count())
			}
			return
		case now := <-ticker.C:
			s.look(now, s.monitor.meter.Count())
		}
	}
}

func (s *stalls) look(now time.Time, passed int64) {
	quiet := now.Sub(s.since)
	switch {
	case passed != s.seen:
		if s.said {
			s.monitor.inv.Warnf("going on after %s s", seconds(quiet))
		}
		s.seen, s.since, s.said = passed, now, false
	case !s.said && quiet >= s.monitor.flow.stall:
		s.said = true
		s.monitor.inv.Warnf("nothing has passed for %s s: %s", seconds(s.monitor.flow.stall), s.monitor.doing())
	}
}

// stop returns when nothing more will be said.
func (s *stalls) stop() {
	if s != nil {
		close(s.done)
		<-s.ended
	}
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64)
}
