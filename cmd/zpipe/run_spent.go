package main

import (
	"sync"
	"time"

	"zeroutils/internal/splice"
)

// A doing is what a stage is at.
type doing int

const (
	working doing = iota // it waits for neither of its neighbours
	waitingForInput
	waitingForOutput
)

func (d doing) String() string {
	return [...]string{"working", "waiting for input", "waiting for output"}[d]
}

// brief is for narrow terminals.
func (d doing) brief() string { return [...]string{"works", "input", "output"}[d] }

// doing is what a stage is at, as its relays tell: the one behind it is held up by
// its own sink, or the one before it by its own source. Both splice, which takes no
// time when they are not.
func (p *pipeline) doing(i int) doing {
	switch {
	case i < len(p.joints) && p.joints[i].activity.State() == splice.Writing:
		return waitingForOutput
	case i > 0 && i <= len(p.joints) && p.joints[i-1].activity.State() == splice.Reading:
		return waitingForInput
	}
	return working
}

// A spent is what a stage was seen to be at, and how often.
type spent struct {
	mu   sync.Mutex
	all  [3]int
	last [3]int // since mostly was asked
	most doing  // what mostly said
}

func (s *spent) add(d doing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[d]++
	s.last[d]++
}

// mostly is what was seen most often since the last call, or, if nothing was seen
// since, what it was then.
func (s *spent) mostly() doing {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == [3]int{} {
		return s.most
	}
	s.most = working
	for d, n := range s.last {
		if n > s.last[s.most] {
			s.most = doing(d)
		}
	}
	s.last = [3]int{}
	return s.most
}

// share is the part of a stage's time in which it was at something; 0 if nobody
// has looked.
func (s *spent) share(d doing) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.all[working] + s.all[waitingForInput] + s.all[waitingForOutput]
	if sum == 0 {
		return 0
	}
	return float64(s.all[d]) / float64(sum)
}

// samplePeriod is how often stages are looked at.
const samplePeriod = 20 * time.Millisecond

// sample looks at the stages until done is closed.
func (p *pipeline) sample(done <-chan struct{}) {
	ticker := time.NewTicker(samplePeriod)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		for i, s := range p.stages {
			if !s.over() {
				s.spent.add(p.doing(i))
			}
		}
	}
}

// worthSaying is from when on it is said which stage the others waited for: of a
// shorter time too few samples tell.
const worthSaying = 10 * samplePeriod

// slowest is the stage that worked longest, with the part of the whole time in
// which it did; -1 if too little is known.
func (p *pipeline) slowest() (stage int, share float64) {
	stage = -1
	if len(p.joints) == 0 || p.elapsed < worthSaying {
		return stage, 0
	}
	for i, s := range p.stages {
		part := s.spent.share(working) * s.life().Seconds() / p.elapsed.Seconds()
		if part > share {
			stage, share = i, part
		}
	}
	return stage, share
}

// reportSlowest says which stage the others have waited for, unless standard
// error is for a program to read.
func (p *pipeline) reportSlowest() {
	if !p.shown && p.inv.Flags.String("stats") == "json" {
		return
	}
	if i, share := p.slowest(); i >= 0 {
		p.inv.Warnf("slowest: %s, working %.0f%% of %s s", p.stages[i].label(), 100*share, seconds(p.elapsed))
	}
}
